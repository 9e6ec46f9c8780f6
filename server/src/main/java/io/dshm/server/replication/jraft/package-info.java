/**
 * The only place that knows SOFAJRaft.
 *
 * <p>{@link io.dshm.server.replication.jraft.RaftGroup} starts and stops a member of the Raft group, with the settings
 * and guards that the library needs: a listener that binds the configured address and registers nothing but Raft's own
 * messages ({@code BoundRpcFactory}), a client that does not wait for a silent machine ({@code SwiftRpcClient}), no Java
 * deserialization ({@code RefusingSerializer}), a log storage that does not read a large last entry back for every
 * heartbeat ({@code LastEntryLogStorage}), a vote that a node without its data does not give ({@code VoteGuard}),
 * snapshots that wait for a node which copies the last one ({@code SnapshotPace}), entries that may begin where this node has
 * cut its log off ({@code AppendRequests}), and a word to a leader that has forgotten this node ({@code LeaderReminder}).
 *
 * <p>{@code ApplyAdapter} is SOFAJRaft's state machine: it hands committed bytes to ours and outcomes to the proposals
 * that wait. {@code Statuses} says which of the library's refusals prove that nothing was appended.
 *
 * <p>Not here: what entries mean, who proposes them, and when.
 */
@NullMarked
package io.dshm.server.replication.jraft;

import org.jspecify.annotations.NullMarked;
