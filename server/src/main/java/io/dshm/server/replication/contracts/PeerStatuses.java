package io.dshm.server.replication.contracts;

import io.dshm.proto.wire.StatusReply;
import java.util.concurrent.CompletableFuture;

/** Asks other nodes about themselves. */
@FunctionalInterface
public interface PeerStatuses {

    /**
     * Asks one node. Any thread.
     *
     * @return its answer; completes exceptionally, within the time-out, if there is none
     */
    CompletableFuture<StatusReply> ask(String node, long timeoutMillis);
}
