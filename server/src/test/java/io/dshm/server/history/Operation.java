package io.dshm.server.history;

/**
 * What one client asked for, when, and what came of it, as the client saw it.
 *
 * @param client whose operation it is; a client has one operation under way at a time, unless it pipelines
 * @param node the node that the client was connected to
 * @param action what it asked for
 * @param invokedNanos when it was sent, by {@link System#nanoTime()} of the one process that all clients live in
 * @param completedNanos when its reply was read; of an operation with an {@link Result.Unknown} outcome {@link #NEVER},
 *     because it may still take effect at any time
 * @param result what the client knows of its outcome
 */
public record Operation(int client, String node, Action action, long invokedNanos, long completedNanos, Result result) {

    /** Later than any other operation. */
    public static final long NEVER = Long.MAX_VALUE;
}
