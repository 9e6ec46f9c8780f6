package io.dshm.server.replication.contracts;

import io.dshm.server.statemachine.Outcome;

/** The replicated log as the replicator needs it. All methods are for any thread and return at once. */
public interface RaftLog {

    /** The result of a proposed log entry: exactly one of these is called, once, on a thread of the log's own. */
    interface Proposal {

        /**
         * The entry is committed and applied on this node.
         *
         * @param outcomes one for each record, in their order
         */
        void applied(long index, Outcome[] outcomes);

        /** The entry was not appended, and never will be because of this proposal. */
        void refused();

        /** The entry may be in the log or may still get there. */
        void uncertain(String reason);
    }

    /**
     * Proposes an entry.
     *
     * @param entry the bytes of a {@code LogEntry}, handed over
     * @param term the entry is refused unless this node leads in this term
     */
    void propose(byte[] entry, long term, Proposal proposal);

    /** Hears how a question for the commit index ended: one of these is called, once, on a thread of the log's own. */
    interface ReadIndexListener {

        /**
         * A leader has named its commit index, a majority has confirmed after the question that it still led, and all
         * up to that index is applied on this node.
         */
        void confirmed();

        /** There is no such leader, or no answer in time. */
        void failed(String reason);
    }

    /**
     * Asks for the leader's commit index. Never trusts a lease: a leader that was paused does not know that it leads no
     * longer. A follower also learns that index by it, sooner than by the next heartbeat.
     */
    void readIndex(ReadIndexListener listener);

    /** Whether clients' writes are to be refused, because disks are full. Any thread; called for every write. */
    default boolean isDiskFull() {
        return false;
    }
}
