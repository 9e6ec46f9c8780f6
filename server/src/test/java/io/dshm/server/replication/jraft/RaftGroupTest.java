package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.RoleListener;
import io.dshm.server.replication.jraft.rpc.MemberNetwork;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.LoopbackMembers;
import io.dshm.server.transport.UnansweredCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A group of one real node, in this process. */
class RaftGroupTest {

    private static final long OWNER = 7;
    private static final int PATIENCE_SECONDS = 60;

    @TempDir
    Path folder;

    private final List<String> fatal = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Long> leading = new CompletableFuture<>();

    @Test
    @Timeout(2 * PATIENCE_SECONDS)
    void an_entry_that_is_applied_while_the_node_stops_does_not_end_the_process() throws Exception {
        LoopbackMembers loopback = new LoopbackMembers("n1");
        DataParts.mark(folder, OWNER);
        Progress progress = Progress.create(folder, OWNER);
        try {
            RaftGroup group = group("test", loopback, 1 << 20);
            CompletableFuture<Void> stopped = new CompletableFuture<>();
            // On the thread that applies: it goes on when the library says of itself that it stops.
            LongConsumer onApplied = index -> {
                if (!leading.isDone()) {
                    return;
                }
                CompletableFuture.runAsync(() -> stop(group, stopped));
                boolean active = true;
                while (active) {
                    try {
                        active = group.hasState();
                        Thread.onSpinWait();
                    } catch (IllegalStateException e) {
                        active = false;
                    }
                }
            };
            group.start(true, progress, events(onApplied));
            long term = leading.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            CompletableFuture<Long> applied = new CompletableFuture<>();
            group.propose(entry(), term, new Waiting(applied));
            applied.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            stopped.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertEquals(List.of(), fatal);
        } finally {
            progress.close();
            loopback.close();
        }
    }

    @Test
    @Timeout(2 * PATIENCE_SECONDS)
    void a_node_whose_disk_has_no_room_for_entries_says_so_and_takes_none() throws Exception {
        LoopbackMembers loopback = new LoopbackMembers("n1");
        DataParts.mark(folder, OWNER);
        Progress progress = Progress.create(folder, OWNER);
        try {
            // No disk has room for that.
            RaftGroup group = group("full", loopback, Long.MAX_VALUE / 8);
            assertFalse(group.isOwnDiskExhausted(), "not known before it runs");
            group.start(true, progress, events(index -> {}));
            assertTrue(group.isOwnDiskFull() && group.isOwnDiskExhausted());
            CompletableFuture<Long> applied = new CompletableFuture<>();
            group.propose(entry(), 1, new Waiting(applied));
            assertTrue(applied.isCompletedExceptionally());
            group.stop();
        } finally {
            progress.close();
            loopback.close();
        }
    }

    /** The library knows a cluster's name once in a process. */
    private RaftGroup group(String cluster, LoopbackMembers loopback, long diskReserveBytes) {
        Map<String, String> peers = Map.of("n1", "127.0.0.1:1");
        return new RaftGroup(
                new RaftGroup.Settings(
                        cluster,
                        "n1",
                        peers,
                        new ClusterMembers("n1", Map.of("n1", "127.0.0.1:1:2")),
                        false,
                        new MemberNetwork(
                                loopback.dialer("n1"),
                                new CallServer(UnansweredCalls.Total.ofMemory(1 << 30), System::nanoTime)),
                        "127.0.0.1",
                        LoopbackMembers.port(),
                        true,
                        folder,
                        500,
                        3600,
                        1 << 20,
                        1 << 30,
                        diskReserveBytes),
                new StateMachine(new ClusterClock(System::nanoTime)),
                fatal::add);
    }

    private RaftGroup.Events events(LongConsumer onApplied) {
        RoleListener roles = new RoleListener() {
            @Override
            public void onLeading(long term) {
                leading.complete(term);
            }

            @Override
            public void onLeadingEnded(long term, String why) {}

            @Override
            public void onFollowing(String leader, long term) {}

            @Override
            public void onFollowingEnded(long term, String why) {}
        };
        return new RaftGroup.Events(
                roles,
                onApplied,
                () -> {},
                () -> {},
                () -> true,
                () -> {},
                why -> {},
                member -> null,
                () -> false,
                waiting -> List.of());
    }

    private static void stop(RaftGroup group, CompletableFuture<Void> stopped) {
        try {
            group.stop();
            stopped.complete(null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopped.completeExceptionally(e);
        }
    }

    private static byte[] entry() {
        RegisterNode register = RegisterNode.newBuilder()
                .setNode("n1")
                .setStart(1)
                .addOrigins(9)
                .build();
        return LogEntry.newBuilder()
                .addRecords(CommandRecord.newBuilder().setRegisterNode(register))
                .build()
                .toByteArray();
    }

    private record Waiting(CompletableFuture<Long> index) implements RaftLog.Proposal {

        @Override
        public void applied(long at, Outcome[] outcomes) {
            index.complete(at);
        }

        @Override
        public void refused() {
            index.completeExceptionally(new IOException("refused"));
        }

        @Override
        public void uncertain(String reason) {
            index.completeExceptionally(new IOException(reason));
        }
    }
}
