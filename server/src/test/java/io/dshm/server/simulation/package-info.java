/**
 * Our own layers, whole nodes of them, in virtual time under one seed: a run is decided by its seed alone, and a failure
 * is replayed by it.
 *
 * <p>Real are: {@code Replicator} with its lanes, outboxes, proposers, sessions and large values; {@code Roles},
 * {@code LocalReads}, {@code ClusterClock}, {@code StateMachine}, {@code Store}, snapshots written to files and read back.
 * Modelled are: SOFAJRaft ({@code RaftMember}: terms, votes, logs, commit, snapshots, and the freedom that the library has in
 * telling what became of a proposal), the links between nodes ({@code Network}), event loops ({@code SimulatedThread}), the
 * machines' clocks, and clients as the front end serves them. {@code Nemesis} breaks things.
 *
 * <p>{@code Checks} compares everything that is committed, applied, read and replied with {@code Reference}, which is
 * written as plainly as possible and shares no code with the state machine. {@code PlantedBug} says which bugs the
 * simulation must find, each of them put in between the parts, none in the product.
 */
@NullMarked
package io.dshm.server.simulation;

import org.jspecify.annotations.NullMarked;
