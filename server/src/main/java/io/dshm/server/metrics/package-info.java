/**
 * What Prometheus learns of a node: names, help and labels of all metrics, in
 * {@link io.dshm.server.metrics.NodeMetrics}. The only importer of Prometheus' client. The other parts count in
 * {@link io.dshm.server.counters}, and are read here when somebody asks.
 */
@NullMarked
package io.dshm.server.metrics;

import org.jspecify.annotations.NullMarked;
