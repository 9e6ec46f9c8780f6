package io.dshm.server.admin;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
     * One value.
     *
     * @param name of its metric, without {@code _total}
     */
    record Sample(String name, Map<String, String> labels, double value) {}

    /**
     * The present values. Called on the thread of the admin port: waits for nothing.
     *
     * @param accept which formats the client takes, as in HTTP's header; null if it does not say
     */
    Scrape scrape(@Nullable String accept) throws IOException;

    /** The present values of the counters and gauges with these names; of some that do not exist, none. Waits for nothing. */
    default List<Sample> samples(Set<String> names) {
        return List.of();
    }
}
