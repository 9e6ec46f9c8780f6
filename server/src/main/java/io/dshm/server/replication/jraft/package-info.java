/**
 * The only place that knows SOFAJRaft.
 *
 * <p>{@link io.dshm.server.replication.jraft.RaftGroup} starts and stops a member of the Raft group, with the settings
 * and guards that the library needs: a listener that binds the configured address and registers nothing but Raft's own
 * messages ({@code BoundRpcFactory}), no Java deserialization ({@code RefusingSerializer}), and the
 * {@linkplain io.dshm.server.replication.jraft.repairs repairs}, which can be deleted when the library is fixed.
 *
 * <p>{@code ApplyAdapter} is SOFAJRaft's state machine: it hands committed bytes to ours and outcomes to the proposals
 * that wait. {@code ProposalFailures} says which of the library's refusals prove that nothing was appended.
 *
 * <p>Not here: what log entries mean, and when they are proposed.
 */
@NullMarked
package io.dshm.server.replication.jraft;

import org.jspecify.annotations.NullMarked;
