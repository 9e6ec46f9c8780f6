package io.dshm.server.replication.contracts;

import io.dshm.proto.wire.StatusReply;
import java.util.concurrent.CompletableFuture;

/** Asks other nodes about themselves. */
@FunctionalInterface
public interface PeerStatuses {

    /**
     * Asks one node. Any thread.
     *
     * @return its answer; completes exceptionally, within the time-out, if there is none, with a {@link NoMemberException} if that node
     *     says that this one was removed
     */
    CompletableFuture<StatusReply> ask(String node, long timeoutMillis);
}
