package io.dshm.server.replication.contracts;

import org.jspecify.annotations.Nullable;

/**
 * Who leads, as far as this node knows.
 *
 * @param term the Raft term of that knowledge
 * @param leader the leading node's name, or null if none is known
 * @param self whether that is this node, and it is ready to propose: everything before its term is applied here, and it
 *     knows the time
 */
public record Leadership(long term, @Nullable String leader, boolean self) {

    /** Nobody leads yet. */
    public static final Leadership NONE = new Leadership(0, null, false);
}
