package io.dshm.proto;

/**
 * The formats of the data that nodes exchange: the replicated log and the meaning of its commands, snapshots, and
 * messages between nodes. They change together, under one number.
 *
 * <p>A node says at its registration up to which format it reads. Once all members read a newer one, the leader
 * switches the cluster to it with a record in the log ({@code SwitchFormat} in log.proto). Until then nobody writes
 * anything newer, and every command is applied as the older format says, so that nodes of two releases have the same
 * state.
 */
public final class Formats {

    /** The format of commit 4d5bd5c, the first that can be upgraded from: nodes that say nothing read this one. */
    public static final int FIRST = 1;

    /**
     * Bounds on what nodes hold for clients and peers; limiters that keep what their longest window needs; TAKE and its
     * family.
     */
    public static final int BOUNDS = 2;

    /** The newest format that this version reads, and the one that new clusters come to use. */
    public static final int NEWEST = BOUNDS;

    private Formats() {}
}
