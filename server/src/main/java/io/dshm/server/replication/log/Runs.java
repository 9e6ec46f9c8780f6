package io.dshm.server.replication.log;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where each entry of the log is. A run is a row of entries that stand one behind the other in one file. Of each run,
 * the offset of every {@value #STRIDE}th entry is kept; the way to the next ones is found in the records themselves.
 * Not thread-safe.
 */
final class Runs {

    /**
     * So that a full log of small entries takes some MB of the heap, and to find an entry takes four short reads on
     * average.
     */
    static final int STRIDE = 8;

    /** Entries from {@code first} on. */
    static final class Run {
        final Segment segment;
        final long first;
        private int count;
        private int[] offsets = new int[4];

        private Run(Segment segment, long first) {
            this.segment = segment;
            this.first = first;
        }

        long next() {
            return first + count;
        }

        /**
         * The offset of the last kept place that is not behind that entry; it is {@code index - first & STRIDE - 1}
         * entries before it.
         */
        int offsetBefore(long index) {
            return offsets[(int) (index - first) / STRIDE];
        }

        private void add(int offset) {
            if (count % STRIDE == 0) {
                int place = count / STRIDE;
                if (place == offsets.length) {
                    offsets = Arrays.copyOf(offsets, 2 * place);
                }
                offsets[place] = offset;
            }
            count++;
        }
    }

    private final List<Run> runs = new ArrayList<>();

    /** Nothing stands between this entry and the one before if both are in the same file. */
    void add(Segment segment, long index, int offset) {
        Run last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
        if (last == null || last.segment != segment || last.next() != index) {
            last = new Run(segment, index);
            runs.add(last);
        }
        last.add(offset);
    }

    /** Forgets the entries before that one, as far as whole runs go. */
    void dropBefore(long index) {
        runs.removeIf(run -> run.next() <= index);
    }

    /** Forgets the entries from that one on. */
    void dropFrom(long index) {
        runs.removeIf(run -> run.first >= index);
        if (!runs.isEmpty()) {
            Run last = runs.get(runs.size() - 1);
            last.count = (int) Math.min(last.count, index - last.first);
        }
    }

    /** The run of that entry; null if there is none. */
    @Nullable
    Run of(long index) {
        for (int i = runs.size() - 1; i >= 0; i--) {
            Run run = runs.get(i);
            if (run.first <= index) {
                return index < run.next() ? run : null;
            }
        }
        return null;
    }

    /** Whether any entry is in that file. */
    boolean use(Segment segment) {
        return runs.stream().anyMatch(run -> run.segment == segment);
    }

    /** The first entry of these, up to but without {@code next}, that is missing; {@code next} if none is. */
    long firstMissing(long first, long next) {
        long index = first;
        for (Run run : runs) {
            if (run.first > index) {
                return index;
            }
            index = Math.max(index, run.next());
        }
        return Math.min(index, next);
    }
}
