package io.dshm.server.admin;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What {@code /metrics} shows. */
@FunctionalInterface
public interface MetricsSource {

    /**
     * One answer.
     *
     * @param contentType its format
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over
    record Scrape(String contentType, byte[] body) {}

    /**
     * The present values. Called on the thread of the admin port: waits for nothing.
     *
     * @param accept which formats the client takes, as in HTTP's header; null if it does not say
     */
    Scrape scrape(@Nullable String accept) throws IOException;
}
