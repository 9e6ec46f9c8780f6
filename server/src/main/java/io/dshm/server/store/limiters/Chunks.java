package io.dshm.server.store.limiters;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first grants of a {@link SlidingLog} that has many: arrays of at most {@value #SLOTS} slots, all of them written.
 * Immutable. Of two neighbours that a cut has left, both would not fit into one: so there are at most two for each
 * {@value #SLOTS} grants.
 */
final class Chunks {

    static final int SLOTS = 8192;

    static final Chunks NONE = new Chunks(new long[0][], null, null);

    /** The place of the first grant of each array, and the end of the last. */
    private final int[] starts;

    private final long[][] instants;

    /**
     * For each grant the sum of its tokens and those before it in any array, less what is {@link #added}. Null where
     * all grants of an array are of one token: there it is the place in the array, counted from 1. Null as a whole if
     * no grant has an amount.
     */
    private final long @Nullable [] @Nullable [] sums;

    private final long @Nullable [] added;

    private Chunks(long[][] instants, long @Nullable [] @Nullable [] sums, long @Nullable [] added) {
        this.instants = instants;
        this.sums = sums;
        this.added = added;
        this.starts = new int[instants.length + 1];
        for (int chunk = 0; chunk < instants.length; chunk++) {
            starts[chunk + 1] = starts[chunk] + instants[chunk].length;
        }
    }

    /** The first of these grants: as many as fill arrays. Copied. */
    static Chunks of(long[] instants, long @Nullable [] sums) {
        int count = instants.length / SLOTS;
        return new Chunks(
                split(instants, count),
                sums == null ? null : split(sums, count),
                sums == null ? null : new long[count]);
    }

    private static long[][] split(long[] slots, int count) {
        long[][] parts = new long[count][];
        for (int i = 0; i < count; i++) {
            parts[i] = Arrays.copyOfRange(slots, i * SLOTS, (i + 1) * SLOTS);
        }
        return parts;
    }

    /** The place behind the last grant: that of the first slot of the array that is written. */
    int end() {
        return starts[instants.length];
    }

    long instant(int place) {
        int chunk = chunkOf(place);
        return instants[chunk][place - starts[chunk]];
    }

    /** See {@link Amounts}. */
    long sum(int place) {
        if (added == null || sums == null) {
            return place + 1L;
        }
        int chunk = chunkOf(place);
        int slot = place - starts[chunk];
        long[] there = sums[chunk];
        return added[chunk] + (there == null ? slot + 1 : there[slot]);
    }

    private int chunkOf(int place) {
        int found = Arrays.binarySearch(starts, place);
        return found >= 0 ? found : -found - 2;
    }

    /** The place of the first grant that is left without the arrays that end before that place. */
    int startOf(int place) {
        return place >= end() ? end() : starts[chunkOf(place)];
    }

    /** The same, of grants that may be of more than one token. */
    Chunks counted() {
        if (added != null) {
            return this;
        }
        long[] ones = new long[instants.length];
        for (int chunk = 0; chunk < ones.length; chunk++) {
            ones[chunk] = starts[chunk];
        }
        return new Chunks(instants, new long[instants.length][], ones);
    }

    /** The same without the arrays that end before that place, and with one more, if there is one. */
    Chunks extended(int first, long @Nullable [] moreInstants, long @Nullable [] moreSums) {
        Seam seam = new Seam();
        for (int chunk = 0; chunk < instants.length; chunk++) {
            if (starts[chunk + 1] > first) {
                seam.add(part(chunk));
            }
        }
        if (moreInstants != null) {
            seam.add(new Part(moreInstants, moreSums, 0));
        }
        return seam.chunks(sums != null || moreSums != null);
    }

    /**
     * The same without the arrays that end before the first place, and without the grants from one place to another.
     * Neighbours of the gap are put together where they fit.
     *
     * @param given tokens that were given back: so much are sums before the gap raised
     * @param moreInstants what stands before the gap in the log's last array; empty if the gap begins here
     */
    Chunks cut(int first, int from, int to, long given, long[] moreInstants, long @Nullable [] moreSums) {
        Seam seam = new Seam();
        for (int chunk = 0; chunk < instants.length; chunk++) {
            int start = starts[chunk];
            int end = starts[chunk + 1];
            if (end > first) {
                Part part = part(chunk);
                seam.join(part.range(0, Math.min(end, from) - start, given));
                seam.join(part.range(Math.max(start, to) - start, end - start, 0));
            }
        }
        seam.join(new Part(moreInstants, moreSums, 0).range(0, moreInstants.length, given));
        return seam.chunks(sums != null || moreSums != null);
    }

    private Part part(int chunk) {
        return added == null || sums == null
                ? new Part(instants[chunk], null, 0)
                : new Part(instants[chunk], sums[chunk], added[chunk]);
    }

    /** One array of many, and its sums. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    private record Part(long[] instants, long @Nullable [] sums, long added) {

        Part range(int from, int to, long given) {
            if (from >= to) {
                return new Part(new long[0], null, 0);
            }
            long[] left = from == 0 && to == instants.length ? instants : Arrays.copyOfRange(instants, from, to);
            return sums == null
                    ? new Part(left, null, added + from + given)
                    : new Part(left, left == instants ? sums : Arrays.copyOfRange(sums, from, to), added + given);
        }

        Part with(Part next) {
            int length = instants.length;
            long[] joined = Arrays.copyOf(instants, length + next.instants.length);
            System.arraycopy(next.instants, 0, joined, length, next.instants.length);
            long[] joinedSums = new long[joined.length];
            for (int slot = 0; slot < joined.length; slot++) {
                joinedSums[slot] = slot < length ? sum(slot) : next.sum(slot - length);
            }
            return new Part(joined, joinedSums, 0);
        }

        private long sum(int slot) {
            return added + (sums == null ? slot + 1 : sums[slot]);
        }
    }

    /** The arrays of chunks that are being made. */
    private static final class Seam {

        private final List<Part> parts = new ArrayList<>();

        void add(Part part) {
            parts.add(part);
        }

        void join(Part part) {
            int last = parts.size() - 1;
            if (part.instants.length == 0) {
                return;
            }
            if (last >= 0 && parts.get(last).instants.length + part.instants.length <= SLOTS) {
                parts.set(last, parts.get(last).with(part));
            } else {
                parts.add(part);
            }
        }

        Chunks chunks(boolean withSums) {
            long[][] instants = parts.stream().map(Part::instants).toArray(long[][]::new);
            return withSums
                    ? new Chunks(
                            instants,
                            parts.stream().map(Part::sums).toArray(long[][]::new),
                            parts.stream().mapToLong(Part::added).toArray())
                    : new Chunks(instants, null, null);
        }
    }

    /** Slots of arrays that are not those of the other. */
    int slotsNotOf(Chunks other) {
        int slots = 0;
        for (int chunk = 0; chunk < instants.length; chunk++) {
            long[] there = instants[chunk];
            if (Arrays.stream(other.instants).noneMatch(array -> array == there)) {
                slots += there.length;
            }
        }
        return slots;
    }
}
