package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop does for replication: see the package's description. All methods are for the lane's own thread.
 */
public final class Lane {

    private static final long TIMER_MILLIS = 50;
    private static final long RETRY_MILLIS = 10;

    private final Replicator replicator;
    private final ScheduledExecutorService executor;
    private final LongSupplier nanoTime;
    private final Proposer proposer;
    private final Outbox commands;

    /** All of this lane's outboxes; on the first lane that of large values and that of the registration are among them. */
    private final List<Outbox> outboxes = new ArrayList<>();

    private final ArrayDeque<WaitingRead> waitingReads = new ArrayDeque<>();

    private Leadership leadership = Leadership.NONE;
    private PeerLinks.@Nullable Link link;
    private boolean linkOpen;
    private boolean retryScheduled;
    private boolean flushRequested;

    private record WaitingRead(long index, long deadlineNanos, Command.Get get, ReplyListener listener) {}

    Lane(
            Replicator replicator,
            ScheduledExecutorService executor,
            long origin,
            RaftLog log,
            ClusterClock clock,
            Machine machine) {
        this.replicator = replicator;
        this.executor = executor;
        this.nanoTime = machine.nanoTime();
        this.proposer = new Proposer(log, clock, machine, executor);
        this.commands = addOutbox(origin);
    }

    /** Starts the lane's timer. */
    void start() {
        executor.scheduleWithFixedDelay(this::onTimer, TIMER_MILLIS, TIMER_MILLIS, TimeUnit.MILLISECONDS);
    }

    Outbox addOutbox(long origin) {
        Outbox outbox = new Outbox(
                origin,
                TimeUnit.MILLISECONDS.toNanos(replicator.requestTimeoutMillis()),
                this::retrySoon,
                replicator::onUnknownOrigin);
        outboxes.add(outbox);
        return outbox;
    }

    /** Takes a write; the listener gets its reply, at the latest when the request timeout is over. */
    public void submit(Command.Write write, ReplyListener listener) {
        if (replicator.isStopping()) {
            listener.onReply(new Reply.Failure(ErrorCode.SHUTTING_DOWN, null));
        } else if (write instanceof Command.Set set && set.value().length > Limits.INLINE_VALUE_BYTES_MAX) {
            replicator.submitLarge(this, set, listener);
        } else if (!submit(commands, Records.of(write), new ClientWrite(write, listener))) {
            listener.onReply(new Reply.Failure(ErrorCode.BUSY, "too many commands are outstanding"));
        }
    }

    boolean submit(Outbox outbox, CommandRecord.Builder record, Pending pending) {
        boolean taken = outbox.submit(record, pending, nanoTime.getAsLong());
        if (taken) {
            requestFlush();
        }
        return taken;
    }

    /** Answers a read as soon as this node's store shows all that it may not miss; see {@link LocalReads#isCurrent}. */
    public void awaitRead(Command.Get get, ReplyListener listener) {
        LocalReads reads = replicator.reads();
        long index = reads.indexFor(get.key());
        long deadline = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(replicator.requestTimeoutMillis());
        waitingReads.add(new WaitingRead(index, deadline, get, listener));
        // Counted first, then looked again: the thread that applies does it the other way round.
        reads.waiting().incrementAndGet();
        answerReads();
        if (!waitingReads.isEmpty()) {
            replicator.nudge();
        }
    }

    /** The store as this node shows it. */
    public LocalReads reads() {
        return replicator.reads();
    }

    /** The leader's end of a connection from another node that lives in this lane. */
    public ForwardSession openSession(Consumer<ForwardReply> replies) {
        return new ForwardSession(proposer, this::requestFlush, replies);
    }

    ScheduledExecutorService executor() {
        return executor;
    }

    boolean isIdle() {
        return outboxes.stream().allMatch(Outbox::isEmpty) && waitingReads.isEmpty();
    }

    void tick() {
        proposer.tick();
    }

    void onLeadership(Leadership news) {
        leadership = news;
        proposer.setTerm(news.self() ? news.term() : 0);
        closeLink();
        outboxes.forEach(Outbox::rewind);
        flush();
    }

    /** Has what was submitted sent after all that is ready to be read in this round of the event loop. */
    void requestFlush() {
        if (!flushRequested) {
            flushRequested = true;
            executor.execute(this::flush);
        }
    }

    private void flush() {
        flushRequested = false;
        if (leadership.leader() != null && !retryScheduled) {
            if (leadership.self()) {
                outboxes.stream().filter(replicator::maySend).forEach(o -> o.sendTo(proposer));
            } else if (link == null) {
                openLink(leadership.leader());
            } else if (linkOpen) {
                PeerLinks.Link open = link;
                outboxes.stream().filter(replicator::maySend).forEach(o -> o.sendTo(open, leadership.term()));
            }
        }
        proposer.flush();
    }

    private void openLink(String leader) {
        Links listener = new Links();
        PeerLinks.Link opened = replicator.links().open(leader, executor, listener);
        // A name that cannot be resolved fails before open returns.
        if (!listener.closed) {
            listener.own = opened;
            link = opened;
        }
    }

    private void closeLink() {
        if (link != null) {
            link.close();
            link = null;
            linkOpen = false;
        }
    }

    /** The leader did not take something, or cannot be reached: asked again in a moment, from the oldest command on. */
    private void retrySoon() {
        if (!retryScheduled) {
            retryScheduled = true;
            executor.schedule(
                    () -> {
                        retryScheduled = false;
                        outboxes.forEach(Outbox::rewind);
                        flush();
                    },
                    RETRY_MILLIS,
                    TimeUnit.MILLISECONDS);
        }
    }

    private void onTimer() {
        long now = nanoTime.getAsLong();
        outboxes.forEach(outbox -> outbox.expire(now));
        proposer.expire(now, TimeUnit.MILLISECONDS.toNanos(replicator.requestTimeoutMillis()));
        for (WaitingRead first = waitingReads.peek();
                first != null && first.deadlineNanos - now <= 0;
                first = waitingReads.peek()) {
            waitingReads.remove();
            replicator.reads().waiting().decrementAndGet();
            first.listener.onReply(new Reply.Failure(ErrorCode.TIMEOUT, "this node lags behind"));
        }
        if (!waitingReads.isEmpty()) {
            replicator.nudge();
        }
    }

    /** Entries were applied: reads that waited for them are answered. */
    void answerReads() {
        LocalReads reads = replicator.reads();
        List<WaitingRead> ready = new ArrayList<>();
        waitingReads.removeIf(read -> reads.isApplied(read.index) && ready.add(read));
        reads.waiting().addAndGet(-ready.size());
        ready.forEach(read -> read.listener.onReply(reads.read(read.get)));
    }

    /** Lets reads on this node wait for a write that is acknowledged now, unless it is applied here already. */
    void acknowledge(Command.Write write, long index) {
        LocalReads reads = replicator.reads();
        if (index > reads.appliedIndex()) {
            Key key = Records.keyOf(write);
            if (key == null) {
                reads.acknowledged().recordAll(index);
            } else {
                reads.acknowledged().record(key.hash(), index);
            }
        }
    }

    /** A client's write on its way. */
    private final class ClientWrite extends Pending {

        private final Command.Write write;
        private final ReplyListener listener;

        ClientWrite(Command.Write write, ReplyListener listener) {
            this.write = write;
            this.listener = listener;
        }

        @Override
        void onOutcome(Outcome outcome, long index) {
            acknowledge(write, index);
            Key key = Records.keyOf(write);
            if (outcome.kind() == Outcome.Kind.NO_INTEGER && key != null) {
                awaitRead(new Command.Get(key), listener);
            } else {
                listener.onReply(Records.reply(write, outcome));
            }
        }

        @Override
        void onFailure(ErrorCode code) {
            listener.onReply(new Reply.Failure(code, null));
        }
    }

    /** What the link to the leader tells. A link that was replaced is not listened to any more. */
    private final class Links implements PeerLinks.Listener {

        private PeerLinks.@Nullable Link own;
        private boolean closed;

        @Override
        public void onOpen() {
            if (link == own) {
                linkOpen = true;
                outboxes.forEach(Outbox::rewind);
                flush();
            }
        }

        @Override
        public void onReply(ForwardReply reply) {
            if (reply.getRefusedTerm() != 0) {
                if (reply.getRefusedTerm() == leadership.term()) {
                    retrySoon();
                }
                return;
            }
            for (Outbox outbox : outboxes) {
                if (outbox.origin() == reply.getOrigin()) {
                    outbox.onResults(reply.getIndex(), reply.getResultsList());
                }
            }
        }

        @Override
        public void onClosed() {
            closed = true;
            if (link == own) {
                link = null;
                linkOpen = false;
                retrySoon();
            }
        }
    }
}
