package io.dshm.client;

import io.dshm.client.internal.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a client is built with; {@link DshmClient.Builder} says what each means.
 *
 * @param auth the line that a connection begins with; null for none
 * @param callbacks where outcomes are set; null for the event loop
 */
record Settings(
        List<Endpoint> endpoints,
        AddressResolver resolver,
        @Nullable ClientTls tls,
        @Nullable String auth,
        int connections,
        Duration connectTimeout,
        Duration stallTimeout,
        int outstandingMax,
        int outstandingBytesMax,
        boolean waitsForRoom,
        @Nullable Executor callbacks,
        Consumer<NodeEvent> listener,
        @Nullable Observer observer) {

    /** Without the secret. */
    @Override
    public String toString() {
        return "of " + endpoints + (auth == null ? "" : ", with a user") + (tls == null ? "" : ", by TLS");
    }
}
