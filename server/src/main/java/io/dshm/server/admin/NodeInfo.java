package io.dshm.server.admin;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What operators can learn of a node. Thread-safe. */
public interface NodeInfo {

    /** Null if the node is healthy: no event loop hangs, it knows a leader and has caught up. Otherwise one line with the reason. */
    @Nullable
    String problem();

    /** Names and values, in the order in which they are to be shown: numbers, booleans, or text. */
    Map<String, Object> status();

    /**
     * The state's digest: {@code index} and {@code digest}. Nodes that have applied the same index have the same one. It
     * reads all of the state, so it takes a while with much data.
     *
     * @throws IllegalStateException if it cannot be computed now
     */
    Map<String, Object> digest() throws InterruptedException;
}
