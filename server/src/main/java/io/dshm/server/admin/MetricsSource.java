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
     * @param value of a histogram: the sum of what it has counted
     * @param buckets of a histogram: how many values are in each of its native buckets that has any, by the bucket's
     *     number; empty for other metrics
     */
    record Sample(String name, Map<String, String> labels, double value, Map<Integer, Long> buckets) {}

    /**
     * The present values. Called on the thread of the admin port: waits for nothing.
     *
     * @param accept which formats the client takes, as in HTTP's header; null if it does not say
     */
    Scrape scrape(@Nullable String accept) throws IOException;

    /** The present values of the metrics with these names; of some that do not exist, none. Waits for nothing. */
    default List<Sample> samples(Set<String> names) {
        return List.of();
    }
}
