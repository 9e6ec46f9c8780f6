package io.dshm.server.replication.contracts;

import io.dshm.proto.wire.StatusReply;
import java.util.concurrent.CompletableFuture;

/** Asks other nodes about themselves. */
@FunctionalInterface
public interface PeerStatuses {

    /**
     * Asks one node. Any thread.
     *
     * @param timeoutMillis for the answer, from when the connection is there; that may take up to
     *     {@link io.dshm.proto.Limits#PEER_CONNECTION_MILLIS_MAX} more
     * @return its answer; completes exceptionally, within both, if there is none, with a {@link NoMemberException} if
     *     that node says that this one was removed. An answer that is read too late, because this process stood still
     *     with it in its socket, is none
     */
    CompletableFuture<StatusReply> ask(String node, long timeoutMillis);
}
