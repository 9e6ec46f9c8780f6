package io.dshm.server.replication;

import io.dshm.proto.Formats;
import java.util.function.IntSupplier;

/**
 * The cluster's format and what its members read, as far as this node knows; see {@link Formats}. Any thread.
 *
 * @param newest the newest format that this node reads
 * @param current the format that the log has switched to
 * @param readByAll the newest one that all members read, by their registrations
 */
public record ClusterFormat(int newest, IntSupplier current, IntSupplier readByAll) {

    /** The format that a leader is to switch the cluster to, or 0. */
    int due() {
        int next = Math.min(readByAll.getAsInt(), newest);
        return next > current.getAsInt() ? next : 0;
    }

    /** Whether this node reads a newer format than the cluster's, and so waits for others to be upgraded. */
    boolean isBehind() {
        return current.getAsInt() < newest;
    }
}
