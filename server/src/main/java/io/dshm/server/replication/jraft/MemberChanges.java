package io.dshm.server.replication.jraft;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Who votes and who only learns, and changes of that: by Raft addresses, because the library knows no names. One change
 * at a time; the library goes through a joint configuration for each (Raft thesis, 4.3). Thread-safe.
 */
public interface MemberChanges {

    /**
     * Raft addresses.
     *
     * @param voters of those who vote, and count for commits
     * @param learners of those who only get the log
     */
    record Roles(Set<String> voters, Set<String> learners) {

        /** How many of so many voters are a majority. */
        public static int majorityOf(int voters) {
            return voters / 2 + 1;
        }
    }

    /**
     * The newest configuration in this node's log, committed or not.
     *
     * @throws IllegalStateException if Raft is not running
     */
    Roles roles();

    /**
     * The voters that answer this leader, itself included.
     *
     * @throws IllegalStateException if this node does not lead
     */
    Set<String> alive();

    /** Adds one that gets the log, but neither votes nor counts. The result fails with what the library says. */
    CompletableFuture<Void> addLearner(String address);

    /** The same for the end of that. */
    CompletableFuture<Void> removeLearner(String address);

    /** Makes a learner a voter, when it has caught up. If it does not, it is a learner again. */
    CompletableFuture<Void> promote(String address);

    /** Ends a vote. */
    CompletableFuture<Void> removeVoter(String address);

    /**
     * Hands leadership over. Returns at once.
     *
     * @param address of a voter, or empty for the one that is furthest along
     * @throws IOException if that cannot be; the message says why
     */
    void transferLeadership(String address) throws IOException;
}
