package io.dshm.server.replication.jraft.repairs;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The last index that this node has applied, and the terms of the applied log entries, as far back as it knows them.
 * Written by the apply thread, read by any.
 */
public final class AppliedTerms {

    /** Runs of entries of one term that are remembered: a leader is new at most once in each. */
    private static final int RUNS_MAX = 256;

    /** Applied entries of one term; those of other kinds than data, at the beginning of a term, are not among them. */
    private record Run(long first, long last, long term) {}

    /** The latest is the last one. */
    private final ArrayDeque<Run> runs = new ArrayDeque<>();

    private volatile AppendRequests.@Nullable Position last;

    /** The entry at the first index and the one at the last are applied, and are of that term; so are those between. */
    public synchronized void add(long first, long lastIndex, long term) {
        Run run = runs.peekLast();
        if (run != null && run.term == term) {
            runs.removeLast();
            runs.add(new Run(run.first, lastIndex, term));
        } else {
            runs.add(new Run(first, lastIndex, term));
            if (runs.size() > RUNS_MAX) {
                runs.removeFirst();
            }
        }
        last = new AppendRequests.Position(lastIndex, term);
    }

    /** The state is now a snapshot's, as of that entry. */
    public synchronized void reset(long index, long term) {
        runs.clear();
        add(index, index, term);
    }

    /** The last entry applied, null if none is. */
    public AppendRequests.@Nullable Position last() {
        return last;
    }

    /** The term of the applied entry at that index, 0 if it is not known or not applied. */
    public long termAt(long index) {
        AppendRequests.Position position = last;
        // Nearly always this one is asked for.
        return position != null && position.index() == index ? position.term() : earlierTermAt(index);
    }

    private synchronized long earlierTermAt(long index) {
        for (Run run : runs) {
            if (index >= run.first && index <= run.last) {
                return run.term;
            }
        }
        return 0;
    }
}
