package io.dshm.server.metrics;

import io.dshm.server.admin.MetricsSource;

/** All metrics of a node: their names, their help, and where each is read. */
public final class NodeMetrics {

    private NodeMetrics() {}

    /** What a node says to Prometheus. */
    public static MetricsSource of(String node, String cluster, String version) {
        return new Scrapes(families -> families.gauge(
                "dshm_build_info",
                "The node, its cluster and its version; always 1.",
                1,
                "node",
                node,
                "cluster",
                cluster,
                "version",
                version));
    }
}
