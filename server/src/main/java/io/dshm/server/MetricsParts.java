package io.dshm.server;

import io.dshm.server.admin.MetricsSource;
import io.dshm.server.backup.ScheduledBackups;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.config.Version;
import io.dshm.server.frontend.ClientListener;
import io.dshm.server.frontend.LaneShares;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.metrics.NodeMetrics;
import io.dshm.server.metrics.RegionSizes;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.StateMachine;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Where the metrics of a node are read: while it starts, while it runs, and while it stops. Thread-safe. */
final class MetricsParts implements AutoCloseable {

    private final RegionSizes regions;
    private final MetricsSource source;

    private volatile NodeMetrics.@Nullable Running running;

    /** The metrics of a node that is starting. */
    MetricsParts(
            ServerConfig config,
            StateMachine stateMachine,
            LocalReads reads,
            MemoryBudget values,
            MemoryBudget replies,
            NodeStatus status) {
        this.regions = new RegionSizes(stateMachine::store);
        this.source = NodeMetrics.of(
                new NodeMetrics.Always(
                        config.node(),
                        config.cluster(),
                        Version.NUMBER,
                        stateMachine,
                        reads,
                        values,
                        replies,
                        regions,
                        () -> status.problem() == null),
                () -> running);
    }

    void start() {
        regions.start();
    }

    /** For the admin port. */
    MetricsSource source() {
        return source;
    }

    /**
     * The node runs.
     *
     * @param unansweredBytes of other nodes' requests
     */
    void setRunning(NodeStatus.Parts parts, EventLoopGroup loops, LaneShares shares, LongSupplier unansweredBytes) {
        running = of(parts, loops, shares, unansweredBytes);
    }

    @Override
    public void close() {
        regions.close();
    }

    private static NodeMetrics.Running of(
            NodeStatus.Parts parts, EventLoopGroup loops, LaneShares shares, LongSupplier unansweredBytes) {
        Map<String, NodeMetrics.Clients> clients = new LinkedHashMap<>();
        clients.put("dshm", NodeMetrics.Clients.of(parts.clients()));
        ClientListener sharedance = parts.sharedance();
        if (sharedance != null) {
            clients.put("sharedance", NodeMetrics.Clients.of(sharedance));
        }
        return new NodeMetrics.Running(
                parts.roles()::leadership,
                parts.raft()::mayVote,
                parts.replicator()::isRegistered,
                parts.raft()::isOwnDiskFull,
                () -> parts.members().all().size(),
                parts.raft().counts(),
                parts.raft()::lastLogIndex,
                parts.raft()::committedIndex,
                clients,
                shares::counts,
                parts.replicator()::counts,
                () -> tasksIn(loops),
                unansweredBytes,
                backup(parts.scheduledBackups()));
    }

    private static NodeMetrics.@Nullable Backup backup(@Nullable ScheduledBackups scheduled) {
        return scheduled == null
                ? null
                : new NodeMetrics.Backup(scheduled::newestMillis, scheduled::newestBytes, scheduled::failures);
    }

    private static long tasksIn(EventLoopGroup loops) {
        long tasks = 0;
        for (EventExecutor loop : loops) {
            if (loop instanceof SingleThreadEventExecutor counted) {
                tasks += counted.pendingTasks();
            }
        }
        return tasks;
    }
}
