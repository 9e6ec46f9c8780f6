package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.reads.RegionScans;
import io.dshm.server.replication.writes.LargeValues;
import io.dshm.server.replication.writes.Outbox;
import io.dshm.server.replication.writes.Records;
import io.dshm.server.replication.writes.Replies;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the lanes of a node share: its registration in the log, large values, who leads, and the time that a
 * leader logs when nothing else is written. See the package's description. Thread-safe.
 */
public final class Replicator {

    /** A leader logs the time if the last stamp is older than this, in milliseconds, while entries have deadlines. */
    private static final long TICK_MILLIS = 1_000;

    /** The time-outs of waiting large values are checked this often. */
    private static final long LARGE_VALUES_MILLIS = 50;

    /**
     * Who this node is.
     *
     * @param name its name in the cluster
     * @param folder identifies its data folder
     * @param start how often it has started with that folder
     */
    public record Identity(String name, long folder, long start) {}

    private final LongSupplier nanoTime;
    private final LocalReads reads;
    private final ClusterFormat format;
    private final RegionScans scans;
    private final Registration registration;
    private final List<Lane> lanes = new ArrayList<>();
    private final LargeValues largeValues;

    private volatile boolean stopping;

    /**
     * A replicator without a leader; {@link #onLeadership} brings one.
     *
     * @param executors the event loops, one for each lane
     * @param requestTimeoutMillis after which a command's sender is told that its outcome is not known
     * @param furtherStart makes the node's number of starts one larger, and yields it; it is on the disk then
     * @param fatal is told why this node must stop
     */
    public Replicator(
            Identity identity,
            LongSupplier furtherStart,
            List<? extends ScheduledExecutorService> executors,
            long requestTimeoutMillis,
            RaftLog log,
            PeerLinks links,
            LocalReads reads,
            ClusterFormat format,
            ClusterClock clock,
            ClockAndRandom machine,
            Consumer<String> fatal) {
        this.nanoTime = machine.nanoTime();
        this.reads = reads;
        this.format = format;
        this.scans = new RegionScans(reads);
        this.registration =
                new Registration(identity, furtherStart, format.newest(), reads, machine.randomLong(), fatal);
        Lane.Shared shared =
                new Lane.Shared(identity.name(), requestTimeoutMillis, links, log, reads, scans, clock, machine);
        Node node = new Node();
        for (ScheduledExecutorService executor : executors) {
            lanes.add(new Lane(shared, node, executor, registration.newOrigin()));
        }
        Lane first = lanes.get(0);
        Outbox large = first.addOutbox(registration.newOrigin());
        this.largeValues = new LargeValues(
                (record, pending, deadlineNanos) -> first.submit(large, record, pending, deadlineNanos));
        registration.setSenders(lanes, large);
    }

    /**
     * Starts the lanes, and registers this node as soon as somebody leads.
     *
     * @param needsTime whether a leader must log the time, because something waits for it
     * @param loggedMillis the cluster clock of the last entry applied
     */
    public void start(ClusterClock clock, BooleanSupplier needsTime, LongSupplier loggedMillis) {
        lanes.forEach(lane -> lane.execute(lane::start));
        Lane first = lanes.get(0);
        first.execute(registration::register);
        every(TICK_MILLIS / 10, TICK_MILLIS / 10, "the time, the format and the registration", () -> {
            if (needsTime.getAsBoolean() && clock.estimateMillis() - loggedMillis.getAsLong() >= TICK_MILLIS) {
                first.tick();
            }
            registration.check();
            int due = format.due();
            if (due != 0) {
                first.switchFormat(due);
            }
        });
        every(0, reads.confirmIntervalMillis(), "asking who leads", first::confirm);
        every(
                LARGE_VALUES_MILLIS,
                LARGE_VALUES_MILLIS,
                "the time-outs of large values",
                () -> largeValues.expire(nanoTime.getAsLong()));
    }

    /** Runs on the first lane. */
    private void every(long initialDelayMillis, long delayMillis, String what, Runnable task) {
        lanes.get(0)
                .executor()
                .scheduleWithFixedDelay(Guard.of(what, task), initialDelayMillis, delayMillis, TimeUnit.MILLISECONDS);
    }

    /** Whether this registration is that of this node's present start. Any thread. */
    public boolean isOwn(RegisterNode registration) {
        return this.registration.isOwn(registration);
    }

    /** The lane of that event loop. */
    public Lane lane(ScheduledExecutorService executor) {
        for (Lane lane : lanes) {
            if (lane.executor() == executor) {
                return lane;
            }
        }
        throw new IllegalArgumentException("no lane belongs to " + executor);
    }

    /** Proposes a record of the cluster itself, if this node leads; the outcome shows only in the state. Any thread. */
    public void propose(CommandRecord record) {
        Lane first = lanes.get(0);
        first.execute(() -> first.propose(record));
    }

    /** The leader has changed, or there is none now. Called in the order of the changes. */
    public void onLeadership(Leadership leadership) {
        lanes.forEach(lane -> lane.execute(() -> lane.onLeadership(leadership)));
        if (leadership.self()) {
            // The first entry of a term carries the time: followers correct their clocks by it.
            Lane first = lanes.get(0);
            first.execute(first::tick);
        }
        if (leadership.leader() != null && isRegistered() && format.isBehind()) {
            // The leader may have loaded a snapshot, which does not say which formats the nodes read.
            lanes.get(0).execute(registration::register);
        }
    }

    /** Entries up to this index are applied here. Called by the thread that applies, after each batch. */
    public void onAppliedBatch() {
        if (reads.waiting().get() > 0) {
            lanes.forEach(lane -> lane.execute(lane::answerReads));
        }
    }

    /**
     * Runs a command that only operators may give. Any thread.
     *
     * @param record without its identity; one that {@link io.dshm.server.statemachine.Admission} admits
     * @return {@code DONE}, or the reason why not; fails only through an error of this node
     */
    public CompletableFuture<Reply> submitForOperator(CommandRecord.Builder record) {
        CompletableFuture<Reply> told = new CompletableFuture<>();
        Lane first = lanes.get(0);
        first.execute(() -> first.submitForOperator(record, new ReplyListener() {
            @Override
            public void onReply(Reply reply) {
                told.complete(reply);
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                told.completeExceptionally(thrown);
            }
        }));
        return told;
    }

    /** Refuses new commands from now on; the future completes when all taken ones are answered. */
    public CompletableFuture<Void> drain() {
        stopping = true;
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (Lane lane : lanes) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            all.add(done);
            lane.execute(() -> completeWhenIdle(lane, done));
        }
        return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]));
    }

    private void completeWhenIdle(Lane lane, CompletableFuture<Void> done) {
        if (lane.isIdle()) {
            done.complete(null);
        } else {
            lane.executor().schedule(() -> completeWhenIdle(lane, done), 5, TimeUnit.MILLISECONDS);
        }
    }

    /** Each lane's counts of what it has done and of what waits. Any thread. */
    public List<LaneCounts> counts() {
        return lanes.stream().map(Lane::counts).toList();
    }

    /** Whether this node is registered in the log; before that, commands wait. */
    public boolean isRegistered() {
        return registration.isDone();
    }

    /**
     * The format that the cluster switches to as soon as its leader sees that all members read it, as this node sees
     * already; 0 if there is none. Until then the verbs of that format are refused. Any thread.
     */
    public int dueFormat() {
        return format.due();
    }

    /** Stops the background work. To be called after {@link #drain}. */
    public void close() {
        scans.close();
    }

    /** The node, as the lanes see it. */
    private final class Node implements Lane.Node {

        @Override
        public boolean isStopping() {
            return stopping;
        }

        @Override
        public boolean isRegistered() {
            return registration.isDone();
        }

        @Override
        public void onUnknownOrigin() {
            registration.onUnknownOrigin();
        }

        @Override
        public void submitLarge(
                Lane from, Command.Write write, long credential, long deadlineNanos, ReplyListener listener) {
            byte[] value = Records.largeValue(write);
            if (value == null) {
                throw new IllegalArgumentException("not large: " + write.dataBytes() + " bytes");
            }
            LargeValues.Listener largeListener = new LargeValues.Listener() {
                @Override
                public void onOutcome(Outcome outcome, long index) {
                    from.execute(() -> {
                        reads.acknowledge(write, index);
                        listener.tell(Replies.of(write, outcome));
                    });
                }

                @Override
                public void onFailure(ErrorCode code, @Nullable String text) {
                    from.execute(() -> listener.tell(new Reply.Failure(code, text)));
                }

                @Override
                public void onBroken(RuntimeException thrown) {
                    from.execute(() -> listener.onBroken(thrown));
                }
            };
            lanes.get(0)
                    .execute(() -> largeValues.submit(
                            value,
                            upload -> Records.publication(write, upload).setCredential(credential),
                            deadlineNanos,
                            largeListener));
        }
    }
}
