package io.dshm.server.replication.writes;

import io.dshm.proto.wire.ForwardReply;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerLinks;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes what a lane's outboxes hold to whoever leads: to this node's own proposer, or over a link to another node.
 * Confined to the lane's thread.
 */
public final class Sender {

    /** The delay before the first retry after a refusal or a closed link; each further one is twice as long. */
    private static final long RETRY_MILLIS = 10;

    private static final long RETRY_MILLIS_MAX = 320;

    /** No origin: see {@code CommandRecord} in log.proto. */
    private static final long ANONYMOUS = 0;

    private final Proposer proposer;
    private final PeerLinks links;
    private final ScheduledExecutorService executor;
    private final LongSupplier nanoTime;
    private final BooleanSupplier registered;
    private final Runnable onUnknownOrigin;
    private final Runnable flushTask = Guard.of("sending commands", this::flush);
    private final List<Outbox> outboxes = new CopyOnWriteArrayList<>();
    private final Outbox anonymous;

    private Leadership leadership = Leadership.NONE;
    private PeerLinks.@Nullable Link link;
    private boolean linkOpen;
    private boolean retryScheduled;
    private long retryMillis = RETRY_MILLIS;
    private boolean flushRequested;

    /**
     * Without a leader; {@link #onLeadership} brings one.
     *
     * @param executor the lane's event loop
     * @param nanoTime the machine's monotonic clock, by which deadlines are
     * @param registered whether the log knows this node's origins: before, only what is {@link #anonymous} is sent
     * @param onUnknownOrigin the log knows an origin of this node no more
     */
    public Sender(
            Proposer proposer,
            PeerLinks links,
            ScheduledExecutorService executor,
            LongSupplier nanoTime,
            BooleanSupplier registered,
            Runnable onUnknownOrigin) {
        this.proposer = proposer;
        this.links = links;
        this.executor = executor;
        this.nanoTime = nanoTime;
        this.registered = registered;
        this.onUnknownOrigin = onUnknownOrigin;
        this.anonymous = addOutbox(ANONYMOUS);
    }

    /** For records that may be applied twice without harm and need no order: the registration, and the time. */
    public Outbox anonymous() {
        return anonymous;
    }

    /** One more outbox, for commands with that origin. */
    public Outbox addOutbox(long origin) {
        Outbox outbox = new Outbox(origin, new Outbox.Events() {
            @Override
            public void onNotTaken() {
                retrySoon();
            }

            @Override
            public void onTaken() {
                retryMillis = RETRY_MILLIS;
            }

            @Override
            public void onRoom() {
                requestFlush();
            }

            @Override
            public void onUnknownOrigin() {
                onUnknownOrigin.run();
            }
        });
        outboxes.add(outbox);
        return outbox;
    }

    /** Who leads, as far as this node knows. */
    public Leadership leadership() {
        return leadership;
    }

    /** How many commands have gone to a leader elsewhere, repeats among them. Any thread. */
    public long forwarded() {
        return outboxes.stream().mapToLong(Outbox::forwarded).sum();
    }

    /** How many commands are not answered. */
    public long outstanding() {
        return outboxes.stream().mapToLong(Outbox::outstanding).sum();
    }

    /** The bytes of commands that are not answered. */
    public long outstandingBytes() {
        return outboxes.stream().mapToLong(Outbox::bytes).sum();
    }

    /** Whether every command of every outbox is answered. */
    public boolean isEmpty() {
        return outboxes.stream().allMatch(Outbox::isEmpty);
    }

    /** Answers the commands whose time is up. */
    public void expire(long nowNanos) {
        outboxes.forEach(outbox -> outbox.expire(nowNanos));
    }

    /** Somebody else leads, or nobody, or this node. */
    public void onLeadership(Leadership news) {
        leadership = news;
        proposer.setTerm(news.self() ? news.term() : 0);
        closeLink();
        retryMillis = RETRY_MILLIS;
        outboxes.forEach(Outbox::restart);
        flush();
    }

    /**
     * Sends submitted commands at the end of this round of the event loop, after everything that is ready has been
     * read.
     */
    public void requestFlush() {
        if (!flushRequested) {
            flushRequested = true;
            executor.execute(flushTask);
        }
    }

    private void flush() {
        flushRequested = false;
        // A command whose time is up is answered instead of sent: if it never was, it provably takes no effect.
        expire(nanoTime.getAsLong());
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

    private boolean maySend(Outbox outbox) {
        return outbox == anonymous || registered.getAsBoolean();
    }

    private void openLink(String leader) {
        Links listener = new Links();
        PeerLinks.Link opened = links.open(leader, executor, listener);
        // It may have failed before open returned.
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

    /** The leader refused commands, or cannot be reached: sent again after a delay, from the oldest command on. */
    private void retrySoon() {
        if (!retryScheduled) {
            retryScheduled = true;
            executor.schedule(Guard.of("sending commands again", this::retry), retryMillis, TimeUnit.MILLISECONDS);
            retryMillis = Math.min(2 * retryMillis, RETRY_MILLIS_MAX);
        }
    }

    private void retry() {
        retryScheduled = false;
        outboxes.forEach(Outbox::rewind);
        flush();
    }

    /** What the link to the leader tells. A link that was replaced is not listened to any more. */
    private final class Links implements PeerLinks.Listener {

        private PeerLinks.@Nullable Link own;
        private boolean closed;

        @Override
        public void onOpen() {
            if (link == own) {
                linkOpen = true;
                outboxes.forEach(Outbox::restart);
                flush();
            }
        }

        @Override
        public void onWritable() {
            if (link == own) {
                requestFlush();
            }
        }

        @Override
        public void onReply(ForwardReply reply) {
            boolean refused = reply.getRefusedTerm() != 0 && reply.getRefusedTerm() == leadership.term();
            for (Outbox outbox : outboxes) {
                if (outbox.origin() == reply.getOrigin()) {
                    if (refused) {
                        outbox.onNotTaken(reply.getRefusedTerm(), reply.getNotLoggedList());
                    } else {
                        outbox.onNotLogged(reply.getNotLoggedList());
                    }
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
