package io.dshm.server.metrics;

import io.dshm.proto.Limits;
import io.dshm.server.admin.MetricsSource;
import io.dshm.server.counters.Distribution;
import io.dshm.server.frontend.ClientListener;
import io.dshm.server.frontend.CommandCounts;
import io.dshm.server.frontend.CommandKind;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.replication.LaneCounts;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.jraft.RaftCounts;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.shares.ShareCounts;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.RegionUse;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocatorMetric;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * All metrics of a node: their names, their help, and where each is read. Names follow Prometheus' conventions: base
 * units, {@code _total} for what only grows. The list for operators is in {@code deploy/README.md}; a test compares it
 * with this.
 */
public final class NodeMetrics {

    private static final double MILLIS_A_SECOND = 1e3;
    private static final double MICROS_A_SECOND = 1e6;

    /** The parts that exist as soon as the process runs. */
    public record Always(
            String node,
            String cluster,
            String version,
            StateMachine stateMachine,
            LocalReads reads,
            MemoryBudget values,
            MemoryBudget replies,
            RegionSizes regions,
            BooleanSupplier isReady) {}

    /**
     * The parts that exist while the node runs.
     *
     * @param members the number of members
     * @param clients of each port, by the name of its protocol
     * @param shares of limits, of each lane
     * @param lanes of the replicator
     * @param loopTasks tasks that wait in all event loops
     * @param backup the newest backup; null if this node makes none
     */
    public record Running(
            Supplier<Leadership> leadership,
            BooleanSupplier votes,
            BooleanSupplier isRegistered,
            BooleanSupplier isDiskFull,
            IntSupplier members,
            RaftCounts raft,
            LongSupplier lastLogIndex,
            LongSupplier committedIndex,
            Map<String, Clients> clients,
            Supplier<List<ShareCounts>> shares,
            Supplier<List<LaneCounts>> lanes,
            LongSupplier loopTasks,
            LongSupplier unansweredBytes,
            @Nullable Backup backup) {}

    /** The clients of one port. */
    public record Clients(
            IntSupplier connected,
            int connectedMax,
            LongSupplier accepted,
            LongSupplier refused,
            Supplier<List<CommandCounts>> counts) {

        /** The counts of that listener. */
        public static Clients of(ClientListener listener) {
            return new Clients(
                    listener::connectionCount,
                    listener.connectionsMax(),
                    listener::acceptedCount,
                    listener::refusedCount,
                    listener::counts);
        }
    }

    /**
     * The newest backup of this node.
     *
     * @param millis when it was made, in milliseconds since 1970; 0 if there is none
     */
    public record Backup(LongSupplier millis, LongSupplier bytes, LongSupplier failures) {}

    private final Always always;
    private final Supplier<@Nullable Running> running;

    private NodeMetrics(Always always, Supplier<@Nullable Running> running) {
        this.always = always;
        this.running = running;
    }

    /** The metrics of a node; {@code running} gives null while it does not run. */
    public static MetricsSource of(Always always, Supplier<@Nullable Running> running) {
        return scrapes(always, running);
    }

    static Scrapes scrapes(Always always, Supplier<@Nullable Running> running) {
        return new Scrapes(new NodeMetrics(always, running)::collect);
    }

    private void collect(Families to) {
        node(to);
        state(to);
        buffers(to);
        Running parts = running.get();
        if (parts != null) {
            raft(to, parts);
            commands(to, parts);
            shares(to, parts.shares.get());
            connections(to, parts);
            lanes(to, parts);
            Backup backup = parts.backup;
            if (backup != null) {
                to.gauge(
                        "dshm_backup_timestamp_seconds",
                        "When this node's newest backup was made, in seconds since 1970; 0 without one.",
                        backup.millis.getAsLong() / MILLIS_A_SECOND);
                to.gauge("dshm_backup_size_bytes", "Size of the newest backup.", backup.bytes.getAsLong());
                to.counter("dshm_backup_failures", "Backups that could not be made.", backup.failures.getAsLong());
            }
        }
    }

    private void node(Families to) {
        to.gauge(
                "dshm_build_info",
                "The node, its cluster and its version; always 1.",
                1,
                "node",
                always.node,
                "cluster",
                always.cluster,
                "version",
                always.version);
        to.gauge(
                "dshm_ready",
                "1 if the node is ready for clients, as /readyz says.",
                always.isReady.getAsBoolean() ? 1 : 0);
        to.gauge("dshm_format", "Format of the log that the cluster uses.", always.stateMachine.format());
    }

    private void state(Families to) {
        StateMachine state = always.stateMachine;
        LocalReads reads = always.reads;
        to.gauge("dshm_applied_index", "Index of the last log entry applied here.", reads.appliedIndex());
        long lagMillis = reads.lagMillis();
        if (lagMillis >= 0) {
            to.gauge(
                    "dshm_read_lag_seconds",
                    "How old local reads on this node may be at most; absent until it is known.",
                    lagMillis / MILLIS_A_SECOND);
        }
        long delayMicros = reads.applyDelayMicros();
        if (delayMicros >= 0) {
            to.gauge(
                    "dshm_apply_delay_seconds",
                    "From the acknowledgement of a write that was taken here until it is applied here, on average; a leader's own do not count.",
                    delayMicros / MICROS_A_SECOND);
        }
        to.gauge(
                "dshm_reads_waiting",
                "Reads that wait for this node to apply more of the log.",
                reads.waiting().get());
        to.gauge(
                "dshm_store_entries",
                "Entries in the store, including expired ones that are not purged yet.",
                state.store().entryCount());
        to.gauge(
                "dshm_store_deadlines",
                "Entries in the store that have a time to live.",
                state.store().deadlineCount());
        to.gauge(
                "dshm_store_bytes",
                "Memory that the entries in the store take.",
                state.store().bytes());
        to.counter(
                "dshm_store_purged_entries",
                "Entries removed because they had expired or their region was flushed.",
                state.store().purgedCount());
        to.counter(
                "dshm_evicted_entries",
                "Entries that were evicted to make room in their region.",
                state.evictedCount());
        to.gauge(
                "dshm_state_bytes",
                "Memory that the whole state takes: entries, remembered outcomes, clients, uploads.",
                state.bytes());
        to.gauge(
                "dshm_state_limit_bytes",
                "Memory that the state may take; beyond it, writes get out_of_memory.",
                state.memory().bytesMax());
        to.gauge("dshm_identities", "Clients with an identity that the cluster remembers.", state.clientCount());
        to.gauge("dshm_identities_limit", "Remembered identities of each kind at most.", Limits.CLIENTS_MAX);
        for (RegionUse use : state.store().regionUses()) {
            String name = RegionSizes.nameOf(use.region());
            to.gauge(
                    "dshm_region_limit_bytes",
                    "Memory limit of each region that has one.",
                    use.bytesMax(),
                    "region",
                    name);
            to.gauge(
                    "dshm_region_limited_bytes",
                    "Memory that each region with a limit takes, counted with each write.",
                    use.bytes(),
                    "region",
                    name);
        }
        for (RegionSizes.Size region : always.regions.sizes()) {
            to.gauge(
                    "dshm_region_entries",
                    "Entries of each of the largest regions, and of all others together.",
                    region.entries(),
                    "region",
                    region.name());
            to.gauge(
                    "dshm_region_bytes",
                    "Memory that the entries of the largest regions take, and those of all others together.",
                    region.bytes(),
                    "region",
                    region.name());
        }
    }

    private void buffers(Families to) {
        to.gauge(
                "dshm_value_memory_bytes",
                "Memory that clients' large requests hold until they are answered.",
                always.values.bytesReserved());
        to.gauge(
                "dshm_value_memory_limit_bytes",
                "Memory that clients' large requests may hold until they are answered; beyond it, they get busy.",
                always.values.bytesMax());
        to.gauge(
                "dshm_reply_memory_bytes",
                "Memory that replies hold until clients read them.",
                always.replies.bytesReserved());
        to.gauge(
                "dshm_reply_memory_limit_bytes",
                "Memory that unread replies may hold; beyond it, clients that do not read are disconnected.",
                always.replies.bytesMax());
        PooledByteBufAllocatorMetric pool = PooledByteBufAllocator.DEFAULT.metric();
        to.gauge("dshm_netty_pool_bytes", "Memory of Netty's buffer pools.", pool.usedDirectMemory(), "kind", "direct");
        to.gauge("dshm_netty_pool_bytes", "", pool.usedHeapMemory(), "kind", "heap");
    }

    private static void raft(Families to, Running parts) {
        to.gauge(
                "dshm_disk_full",
                "1 while this node's disk has no free space except the reserve.",
                parts.isDiskFull.getAsBoolean() ? 1 : 0);
        Leadership leadership = parts.leadership.get();
        RaftCounts raft = parts.raft;
        to.gauge("dshm_raft_term", "Term of the leader that this node knows.", leadership.term());
        to.gauge("dshm_raft_is_leader", "1 while this node leads.", leadership.self() ? 1 : 0);
        to.gauge("dshm_raft_has_leader", "1 while this node knows a leader.", leadership.leader() == null ? 0 : 1);
        to.gauge(
                "dshm_raft_votes",
                "1 if this node votes; 0 for a learner, and while it gets lost data back.",
                parts.votes.getAsBoolean() ? 1 : 0);
        to.gauge(
                "dshm_raft_registered",
                "1 if this node is registered in the log since its start; until then its writes wait.",
                parts.isRegistered.getAsBoolean() ? 1 : 0);
        to.gauge("dshm_raft_members", "Members of the cluster.", parts.members.getAsInt());
        to.gauge(
                "dshm_raft_silent_members",
                "Members that do not answer this leader; 0 on other nodes.",
                raft.silentPeers());
        to.counter("dshm_raft_elections_won", "Elections that this node has won.", raft.elected());
        to.counter(
                "dshm_raft_leader_changes",
                "How often this node has got a new leader, itself included.",
                raft.leadersSeen());
        to.gauge("dshm_raft_log_index", "Index of the last entry in this node's log.", parts.lastLogIndex.getAsLong());
        to.gauge(
                "dshm_raft_committed_index",
                "Index of the last log entry that this node knows to be committed.",
                parts.committedIndex.getAsLong());
        to.histogram(
                "dshm_raft_append_duration_seconds",
                "Time to write log entries that came together to this node's disk.",
                List.of(raft.appendTimes()),
                Distribution.Range.SECONDS);
        to.histogram(
                "dshm_snapshot_duration_seconds",
                "Time to write a snapshot.",
                List.of(raft.snapshotTimes()),
                Distribution.Range.SECONDS);
        to.counter("dshm_snapshot_failures", "Snapshots that could not be written.", raft.snapshotFailures());
        to.counter(
                "dshm_snapshot_loads", "Snapshots loaded, at the start or from other nodes.", raft.snapshotsLoaded());
        to.gauge(
                "dshm_snapshot_timestamp_seconds",
                "When the newest snapshot was written, in seconds since 1970; 0 without one.",
                raft.snapshotMillis() / MILLIS_A_SECOND);
        to.gauge("dshm_snapshot_size_bytes", "Size of the newest snapshot on the disk.", raft.snapshotBytes());
    }

    private static void commands(Families to, Running parts) {
        parts.clients.forEach((protocol, clients) -> {
            List<CommandCounts> loops = clients.counts.get();
            Map<CommandKind, Map<String, Long>> answers = new EnumMap<>(CommandKind.class);
            for (CommandCounts loop : loops) {
                loop.answers((kind, outcome, count) ->
                        answers.computeIfAbsent(kind, k -> new TreeMap<>()).merge(outcome, count, Long::sum));
            }
            answers.forEach((kind, outcomes) -> {
                if (outcomes.values().stream().anyMatch(count -> count > 0)) {
                    outcomes.forEach((outcome, count) -> to.counter(
                            "dshm_commands",
                            "Commands answered, by protocol, verb and outcome (ok, or the error's code).",
                            count,
                            "protocol",
                            protocol,
                            "verb",
                            kind.label(),
                            "outcome",
                            outcome));
                    to.histogram(
                            "dshm_command_duration_seconds",
                            "Time from decoding a command until its reply is ready.",
                            loops.stream().map(loop -> loop.times(kind)).toList(),
                            Distribution.Range.SECONDS,
                            "protocol",
                            protocol,
                            "verb",
                            kind.label());
                }
            });
            for (CommandCounts.ReadWay way : CommandCounts.ReadWay.values()) {
                to.counter(
                        "dshm_reads",
                        "Reads by how they were answered: local at once, local after waiting for this node to apply, or linearizable.",
                        loops.stream().mapToLong(loop -> loop.reads(way)).sum(),
                        "protocol",
                        protocol,
                        "mode",
                        way.name().toLowerCase(Locale.ROOT));
            }
            takes(to, loops);
        });
    }

    private static void takes(Families to, List<CommandCounts> loops) {
        Map<String, long[]> byPolicy = new LinkedHashMap<>();
        for (CommandCounts loop : loops) {
            for (CommandCounts.Takes takes : loop.takes()) {
                long[] sums = byPolicy.computeIfAbsent(takes.policy(), policy -> new long[2]);
                sums[0] += takes.admitted();
                sums[1] += takes.refused();
            }
        }
        byPolicy.forEach((policy, sums) -> {
            if (sums[0] + sums[1] > 0) {
                String help = "Decisions of limits made through this node, by policy (inline: given in the command).";
                to.counter("dshm_takes", help, sums[0], "policy", policy, "decision", "admitted");
                to.counter("dshm_takes", help, sums[1], "policy", policy, "decision", "refused");
            }
        });
    }

    private static void shares(Families to, List<ShareCounts> lanes) {
        String takes =
                "Takes that a share might have decided (share=yes, or SHARES yes), by what did: this node's share or the log.";
        to.counter("dshm_share_takes", takes, sum(lanes, ShareCounts::takenByShare), "decided", "share");
        to.counter("dshm_share_takes", takes, sum(lanes, ShareCounts::takenByLog), "decided", "log");
        String grants =
                "Shares of limits that this node has asked for: granted, refused as too little was left, or failed.";
        to.counter("dshm_share_grants", grants, sum(lanes, ShareCounts::grantsGranted), "outcome", "granted");
        to.counter("dshm_share_grants", grants, sum(lanes, ShareCounts::grantsRefused), "outcome", "refused");
        to.counter("dshm_share_grants", grants, sum(lanes, ShareCounts::grantsFailed), "outcome", "failed");
    }

    private static void connections(Families to, Running parts) {
        parts.clients.forEach((protocol, clients) -> {
            to.gauge("dshm_connections", "Connected clients.", clients.connected.getAsInt(), "protocol", protocol);
            to.gauge("dshm_connections_limit", "Connected clients, limit.", clients.connectedMax, "protocol", protocol);
            to.counter(
                    "dshm_connections_accepted",
                    "Connections of clients that were accepted.",
                    clients.accepted.getAsLong(),
                    "protocol",
                    protocol);
            to.counter(
                    "dshm_connections_refused",
                    "Connections that were refused because there were too many.",
                    clients.refused.getAsLong(),
                    "protocol",
                    protocol);
            List<CommandCounts> loops = clients.counts.get();
            to.counter(
                    "dshm_received_bytes",
                    "Bytes from clients.",
                    loops.stream().mapToLong(loop -> loop.bytesReceived().get()).sum(),
                    "protocol",
                    protocol);
            to.counter(
                    "dshm_sent_bytes",
                    "Bytes to clients.",
                    loops.stream().mapToLong(loop -> loop.bytesSent().get()).sum(),
                    "protocol",
                    protocol);
        });
    }

    private static void lanes(Families to, Running parts) {
        List<LaneCounts> lanes = parts.lanes.get();
        List<LaneCounts.Waiting> waiting =
                lanes.stream().map(LaneCounts::waiting).toList();
        to.counter(
                "dshm_forwarded_commands",
                "Commands sent on to another node that leads, repeats included.",
                sum(waiting, LaneCounts.Waiting::forwarded));
        to.gauge(
                "dshm_commands_outstanding",
                "Writes that this node has taken and that have no outcome yet.",
                sum(waiting, LaneCounts.Waiting::commands));
        to.gauge(
                "dshm_commands_outstanding_limit",
                "Writes without an outcome that all event loops together may hold; beyond it, writes get busy.",
                (double) Limits.COMMANDS_OUTSTANDING_MAX * lanes.size());
        to.gauge("dshm_commands_outstanding_bytes", "What they hold.", sum(waiting, LaneCounts.Waiting::bytes));
        to.gauge(
                "dshm_proposals_outstanding",
                "Commands that wait at this leader to be logged or applied.",
                sum(waiting, LaneCounts.Waiting::toPropose));
        List<Distribution> sizes = new ArrayList<>();
        List<Distribution> times = new ArrayList<>();
        for (LaneCounts lane : lanes) {
            sizes.add(lane.entryCommands());
            times.add(lane.entryTimes());
        }
        to.histogram(
                "dshm_entry_commands",
                "Commands in one log entry that this leader proposed.",
                sizes,
                Distribution.Range.COUNTS);
        to.histogram(
                "dshm_entry_duration_seconds",
                "Time from an entry's proposal by this leader until it was applied here.",
                times,
                Distribution.Range.SECONDS);
        to.gauge("dshm_event_loop_tasks", "Tasks that wait in the event loops.", parts.loopTasks.getAsLong());
        to.gauge(
                "dshm_peer_unanswered_bytes",
                "Other nodes' requests that are not answered yet.",
                parts.unansweredBytes.getAsLong());
    }

    private static <C> long sum(List<C> all, ToLongFunction<C> what) {
        return all.stream().mapToLong(what).sum();
    }
}
