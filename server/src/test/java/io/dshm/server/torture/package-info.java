/**
 * Real nodes under faults and load, whose histories are checked: {@link io.dshm.server.torture.TortureRun} is one run,
 * {@code TortureIT} a short one among the tests, and {@code Torture} the command for long ones.
 *
 * <p>The {@code Course} of a run is the order of things. A {@code Site} is a network of namespaces, disks, and {@code Machine}s with a node each. The {@code Nemesis} injects
 * {@code Fault}s, of the {@code FaultKind}s that this machine can do, and heals them. {@code Load} is the clients, who do
 * what {@code Workload}s say, and write down what they saw in the history of the present {@code Round}. The {@code Judge}
 * ends rounds and has their histories checked by the checkers of {@code io.dshm.server.history}. {@code Availability} knows
 * when the cluster could have been expected to take writes.
 *
 * <p>It needs root's rights, for the namespaces and the disks.
 */
@NullMarked
package io.dshm.server.torture;

import org.jspecify.annotations.NullMarked;
