package io.dshm.server.transport;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

/** Who waits for the answer to a call. */
@FunctionalInterface
public interface CallAnswer {

    /**
     * On an event loop: must not block. Exactly one of the two is not null.
     *
     * @param failure a {@link java.util.concurrent.TimeoutException}, or another one if the connection has ended
     */
    void done(@Nullable MessageLite answer, @Nullable Throwable failure);
}
