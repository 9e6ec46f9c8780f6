package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.AppliedWaits;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.reads.ReadRounds;
import io.dshm.server.replication.writes.ForwardSession;
import io.dshm.server.replication.writes.Outbox;
import io.dshm.server.replication.writes.Pending;
import io.dshm.server.replication.writes.Proposer;
import io.dshm.server.replication.writes.Records;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
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

    /** The index before the first one, for those who need only what everybody waits for; see {@link LocalReads#isApplied}. */
    private static final long NOTHING = 0;

    /** No origin: see {@code CommandRecord} in log.proto. */
    private static final long ANONYMOUS = 0;

    private static final Reply.Failure TOO_MANY_COMMANDS =
            new Reply.Failure(ErrorCode.BUSY, "too many commands are outstanding");
    private static final Reply.Failure STALE = new Reply.Failure(
            ErrorCode.NO_LEADER, "this node has heard of no leader for longer than a read may be stale");

    /** Of the protocol that clients speak; see {@code proto/README.md}. */
    private static final int PROTOCOL_VERSION = 2;

    private final Replicator replicator;
    private final ScheduledExecutorService executor;
    private final LongSupplier nanoTime;
    private final Proposer proposer;
    private final Outbox commands;

    /** For records that take no effect twice whatever happens, and need no order: the registration, and the time. */
    private final Outbox anonymous;

    /** All of this lane's outboxes; on the first lane that of large values is among them. */
    private final List<Outbox> outboxes = new ArrayList<>();

    private final ReadRounds rounds;
    private final AppliedWaits waits;
    private final RegionRequests regions;

    private Leadership leadership = Leadership.NONE;
    private PeerLinks.@Nullable Link link;
    private boolean linkOpen;
    private boolean retryScheduled;
    private boolean flushRequested;

    Lane(
            Replicator replicator,
            ScheduledExecutorService executor,
            long origin,
            RaftLog log,
            ClusterClock clock,
            ClockAndRandom machine) {
        this.replicator = replicator;
        this.executor = executor;
        this.nanoTime = machine.nanoTime();
        this.proposer =
                new Proposer(log, clock, machine, executor, replicator.reads().memory());
        this.commands = addOutbox(origin);
        this.anonymous = addOutbox(ANONYMOUS);
        this.regions = new RegionRequests(this, replicator.reads(), replicator.regions());
        this.rounds = new ReadRounds(log, executor, nanoTime, replicator.reads()::onConfirmed);
        this.waits = new AppliedWaits(replicator.reads(), rounds::request);
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
        } else if (write.dataBytes() > Limits.INLINE_VALUE_BYTES_MAX) {
            replicator.submitLarge(this, write, listener);
        } else if (!submit(commands, Records.of(write), new ClientWrite(write, listener))) {
            listener.onReply(TOO_MANY_COMMANDS);
        }
    }

    /** A record that may be sent before this node is registered, and be applied more than once. */
    boolean submitAnonymous(CommandRecord.Builder record, Pending pending) {
        return submit(anonymous, record, pending);
    }

    boolean submit(Outbox outbox, CommandRecord.Builder record, Pending pending) {
        if (record.getClientDone() > 0 && replicator.reads().format() < Formats.BOUNDS) {
            record.clearClientDone().clearClientRetry().clearClientUnlisted();
        }
        boolean taken = outbox.submit(record, pending, nanoTime.getAsLong());
        if (taken) {
            requestFlush();
        }
        return taken;
    }

    /**
     * Answers a local read as soon as this node's store shows all that it may not miss; see {@link LocalReads#isCurrent}.
     * On a node that has been without news for too long it is refused if nobody leads, and otherwise has them confirmed.
     */
    public void awaitRead(Command.Read read, ReplyListener listener) {
        LocalReads reads = replicator.reads();
        if (!reads.isStale()) {
            Runnable answer = () -> listener.onReply(reads.read(read));
            awaitApplied(reads.indexFor(read), requestDeadline(), answer, listener);
        } else if (leadership.leader() == null) {
            listener.onReply(STALE);
        } else {
            readLinearizable(read, listener);
        }
    }

    /** Answers a read after all that was acknowledged anywhere by now is applied on this node. */
    public void readLinearizable(Command.Read read, ReplyListener listener) {
        rounds.add(new LinearizableRead(read, requestDeadline(), listener));
    }

    /** Has the leader log the time, and waits until that, and so all before it, is applied on this node. */
    void logTime(long deadlineNanos, Runnable ready, ReplyListener listener) {
        submit(
                anonymous,
                Records.logTime(),
                listener,
                (outcome, index) -> awaitApplied(index, deadlineNanos, ready, listener));
    }

    /** Submits a command of the lane's own; the listener hears if nothing comes of it. */
    void submit(CommandRecord.Builder record, ReplyListener listener, RegionRequests.Continuation then) {
        submit(commands, record, listener, then);
    }

    private void submit(
            Outbox outbox, CommandRecord.Builder record, ReplyListener listener, RegionRequests.Continuation then) {
        boolean taken = submit(outbox, record, new Pending() {
            @Override
            public void onOutcome(Outcome outcome, long index) {
                then.onOutcome(outcome, index);
            }

            @Override
            public void onFailure(ErrorCode code) {
                listener.onReply(new Reply.Failure(code, null));
            }
        });
        if (!taken) {
            listener.onReply(TOO_MANY_COMMANDS);
        }
    }

    /** Takes requests for a whole region. */
    public RegionRequests regions() {
        return regions;
    }

    /** Who answers, and who leads as far as this node knows. */
    public Reply info() {
        String leader = leadership.leader();
        return new Reply.Detailed(
                null,
                "protocol=" + PROTOCOL_VERSION + " node=" + replicator.nodeName()
                        + (leader == null ? "" : " leader=" + leader));
    }

    /** Sees to it that this node hears soon what is committed. */
    void confirm() {
        rounds.request();
    }

    long requestDeadline() {
        return nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(replicator.requestTimeoutMillis());
    }

    /** The listener hears of it if the time is up before. */
    void awaitApplied(long index, long deadlineNanos, Runnable ready, ReplyListener listener) {
        waits.add(index, deadlineNanos, ready, listener);
    }

    /** The store as this node shows it. */
    public LocalReads reads() {
        return replicator.reads();
    }

    /** The leader's end of a connection from another node that lives in this lane. */
    public ForwardSession openSession(RegistrationCheck registrations, Consumer<ForwardReply> replies) {
        return new ForwardSession(proposer, this::requestFlush, replies, executor, registrations);
    }

    ScheduledExecutorService executor() {
        return executor;
    }

    boolean isIdle() {
        return outboxes.stream().allMatch(Outbox::isEmpty) && waits.isEmpty() && rounds.isEmpty();
    }

    void tick() {
        proposer.tick();
    }

    void switchFormat(int format) {
        proposer.switchFormat(format);
    }

    void onLeadership(Leadership news) {
        leadership = news;
        proposer.setTerm(news.self() ? news.term() : 0);
        closeLink();
        outboxes.forEach(Outbox::rewind);
        rounds.onLeadership();
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
                outboxes.stream().filter(this::maySend).forEach(o -> o.sendTo(proposer));
            } else if (link == null) {
                openLink(leadership.leader());
            } else if (linkOpen) {
                PeerLinks.Link open = link;
                outboxes.stream().filter(this::maySend).forEach(o -> o.sendTo(open, leadership.term()));
            }
        }
        proposer.flush();
    }

    /** Commands that have an identity go out when the log knows it. */
    private boolean maySend(Outbox outbox) {
        return outbox == anonymous || replicator.isRegistered();
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
        waits.onTimer(now);
        rounds.onTimer(now);
    }

    /** Entries were applied: reads that waited for them are answered. */
    void answerReads() {
        waits.onApplied();
    }

    /** A linearizable read on its way. */
    private final class LinearizableRead implements ReadRounds.Waiting {

        private final Command.Read read;
        private final long deadlineNanos;
        private final ReplyListener listener;

        LinearizableRead(Command.Read read, long deadlineNanos, ReplyListener listener) {
            this.read = read;
            this.deadlineNanos = deadlineNanos;
            this.listener = listener;
        }

        @Override
        public long deadlineNanos() {
            return deadlineNanos;
        }

        @Override
        public void onConfirmed() {
            // Not before this node knows the time: a deadline may have passed while nobody logged anything.
            waits.add(NOTHING, deadlineNanos, this::look, listener);
        }

        private void look() {
            if (replicator.reads().isDueUnlogged(read)) {
                // What this client sees expired no other may see alive afterwards: the log has to say so first.
                logTime(deadlineNanos, this::answer, listener);
            } else {
                answer();
            }
        }

        private void answer() {
            listener.onReply(replicator.reads().readLogged(read));
        }

        @Override
        public void onFailure(Reply.Failure failure) {
            listener.onReply(failure);
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
        public void onOutcome(Outcome outcome, long index) {
            replicator.reads().acknowledge(write, index);
            Command.Write own = write instanceof Command.Identified identified ? identified.write() : write;
            if (outcome.kind() == Outcome.Kind.NO_INTEGER && own instanceof Command.Incr incr) {
                awaitRead(new Command.Get(incr.key()), listener);
            } else {
                listener.onReply(Records.reply(own, outcome));
            }
        }

        @Override
        public void onFailure(ErrorCode code) {
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
            for (Outbox outbox : outboxes) {
                if (outbox.origin() == reply.getOrigin()) {
                    outbox.onNotLogged(reply.getNotLoggedList());
                    outbox.onResults(reply.getIndex(), reply.getResultsList());
                }
            }
            if (reply.getRefusedTerm() != 0 && reply.getRefusedTerm() == leadership.term()) {
                retrySoon();
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
