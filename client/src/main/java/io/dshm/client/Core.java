package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.netty.channel.EventLoop;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Brings calls to nodes, and outcomes back.
 *
 * <p>How it works: a call is put on a stack by one compare-and-set, from any thread ({@link Arrivals}); only the first
 * one on an empty stack wakes the event loop, which takes all of them at once. All else belongs to the event loop: two
 * queues, of what nodes answer at once and of the rest; the nodes, of which the first that is well gets all calls; and
 * what is under way. So there is no lock, and all that came meanwhile goes out in one write.
 *
 * <p>A call leaves this class in one of four ways: its reply came; an error said that it was not applied, and there is
 * no time to try again; its deadline is over; nobody waits for it any more. If a connection breaks, what was under way
 * on it goes back to the head of its queue, unless it is a write that cannot have an identity.
 */
final class Core {

    private static final long BEAT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    final Settings settings;
    final EventLoop loop;
    final Executor callbacks;

    private final NioEventLoopGroup group;
    private final Lookups lookups;
    private final Room room;
    private final Arrivals arrivals = new Arrivals();
    private final AtomicBoolean sweeping = new AtomicBoolean();
    private final Runnable drain = this::drain;
    private final Runnable pump = this::pump;
    /** No more calls are taken. */
    private volatile boolean closing;

    final Outcomes outcomes;
    private final NodeChoice nodes;
    private final Queues queues = new Queues();
    private final Identities identities;
    private final Deadlines deadlines;
    private boolean beating;
    private boolean pumping;
    private boolean pumpAgain;

    Core(Settings settings) {
        this.settings = settings;
        this.group = new NioEventLoopGroup(1, new DefaultThreadFactory("dshm-client", true));
        this.loop = group.next();
        this.callbacks = settings.callbacks() == null ? Runnable::run : settings.callbacks();
        this.lookups = new Lookups(this);
        this.room = new Room(settings.outstandingMax(), settings.outstandingBytesMax());
        this.identities = new Identities(settings.outstandingMax(), settings.auth() != null);
        this.nodes = new NodeChoice(this, settings.endpoints());
        this.outcomes = new Outcomes(this, nodes, queues, room);
        this.deadlines = new Deadlines(this, nodes, queues, outcomes);
    }

    // ---- from any thread

    /** Begins a call. */
    <T> CompletableFuture<T> call(Command command, CallOptions options, Call.Reader<T> reader) {
        Observer observer = settings.observer();
        Call<T> call = new Call<>(
                this, command, reader, options, observer == null ? null : observer.began(Verbs.nameOf(command)));
        if (!room.canHold(call.bytes)) {
            call.fail(new InvalidCallException("the call alone is larger than outstandingBytes", null));
        } else if (!takeRoom(call)) {
            call.fail(new UnavailableException(
                    "not sent: " + room.outstanding() + " calls are outstanding, and no more may be", null));
        } else if (closing) {
            tooLate(call);
        } else {
            push(call);
        }
        return call;
    }

    private void tooLate(Call<?> call) {
        room.giveBack(call.bytes);
        call.fail(new UnavailableException("not sent: the client is closed", null));
    }

    private boolean takeRoom(Call<?> call) {
        if (room.take(call.bytes)) {
            return true;
        }
        if (!settings.waitsForRoom() || loop.inEventLoop()) {
            return false;
        }
        try {
            return room.await(call.bytes, call.deadlineNanos - System.nanoTime());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void push(Call<?> call) {
        if (arrivals.add(call) && !execute(drain)) {
            for (Call<?> late = arrivals.takeAll(); late != null; late = late.next) {
                tooLate(late);
            }
        }
    }

    /** Runs something on the event loop soon; false if that has ended. */
    boolean execute(Runnable task) {
        try {
            loop.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** A call was cancelled: soon its room is free again. */
    void abandoned() {
        if (sweeping.compareAndSet(false, true)) {
            execute(() -> {
                sweeping.set(false);
                deadlines.expire();
            });
        }
    }

    /** Runs something on the event loop later, if the client is not closed by then. */
    void schedule(Runnable task, Duration after) {
        if (!loop.isShuttingDown()) {
            loop.schedule(task, after.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    int outstanding() {
        return room.outstanding();
    }

    /** From now on reads are hedged, so two nodes are connected to. */
    void hedge() {
        execute(() -> {
            nodes.hedge();
            pump();
        });
    }

    // ---- the event loop

    private void drain() {
        Call<?> first = arrivals.takeAll();
        while (first != null) {
            Call<?> call = first;
            first = call.next;
            call.next = null;
            if (outcomes.isClosed()) {
                outcomes.expired(call);
            } else {
                queues.add(call, false);
                deadlines.expireAt(call.deadlineNanos);
            }
        }
        pump();
    }

    void pumpSoon() {
        if (pumping) {
            pumpAgain = true;
        } else {
            pump();
        }
    }

    void pumpAt(long nanos) {
        if (!loop.isShuttingDown()) {
            loop.schedule(pump, Math.max(0, nanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }

    /** Sends what can be sent. */
    void pump() {
        if (pumping) {
            pumpAgain = true;
            return;
        }
        pumping = true;
        do {
            pumpAgain = false;
            Node node = nodes.choose();
            if (node != null) {
                feed(node.fast(), queues.fast);
                feedSlow(node);
            } else {
                outcomes.failIfDenied();
            }
        } while (pumpAgain);
        pumping = false;
        beatSoon();
    }

    private void feedSlow(Node node) {
        for (int i = 0; i < settings.connections() && !queues.slow.isEmpty() && node.isUp(); i++) {
            feed(node.slow(), queues.slow);
        }
    }

    private void feed(Link link, ArrayDeque<Call<?>> queue) {
        while (link.hasRoom() && !queue.isEmpty()) {
            Call<?> call = queue.element();
            boolean over = call.isDue(System.nanoTime());
            if (!over && call.identity == null && call.canBeIdentified() && !identities.give(call)) {
                introduceFor(call);
                break;
            }
            queue.remove();
            call.queued = false;
            if (over) {
                outcomes.expired(call);
            } else {
                link.add(call);
                if (call.hedgeNanos > 0) {
                    loop.schedule(() -> hedge(call), call.hedgeNanos, TimeUnit.NANOSECONDS);
                }
            }
        }
        link.flush();
    }

    private void introduceFor(Call<?> waiting) {
        Identity identity = identities.introduce();
        if (identity == null) {
            return;
        }
        CallOptions options = new CallOptions(settings.stallTimeout().multipliedBy(3), null, 0);
        Command introduction = identities.introduction(identity, (Command.Write) waiting.command);
        Call<Void> call = new Call<>(this, introduction, Replies::done, options, null);
        call.introduction = true;
        call.whenComplete((known, failure) -> execute(() -> {
            if (failure == null) {
                identities.introduced(identity, System.nanoTime());
            } else {
                identities.dropped(identity);
                notIntroduced(waiting, (DshmException) failure);
            }
            pump();
        }));
        queues.add(call, true);
        deadlines.expireAt(call.deadlineNanos);
        pumpAgain = true;
    }

    /**
     * What an identity could not be introduced for gets the error of the introduction, unless it is one that another
     * try may not get.
     */
    private void notIntroduced(Call<?> waiting, DshmException failure) {
        ErrorCode code = failure.code().orElse(null);
        boolean isForGood = code != null && !code.mayBeBetterElsewhere() && code.effect() != ErrorCode.Effect.UNKNOWN;
        boolean mayBeOther = code == ErrorCode.DENIED && identities.introduceInRegions();
        if (isForGood && !mayBeOther && waiting.identity == null && queues.remove(waiting)) {
            outcomes.end(waiting, failure);
        }
    }

    // ---- nodes that live, or do not

    private void beatSoon() {
        if (!beating && !loop.isShuttingDown()) {
            beating = true;
            loop.schedule(this::beat, BEAT_NANOS, TimeUnit.NANOSECONDS);
        }
    }

    private void beat() {
        beating = false;
        if (nodes.beat(System.nanoTime())) {
            beatSoon();
        }
    }

    private void hedge(Call<?> call) {
        if (call.isOver() || call.copies != 1 || call.queued) {
            return;
        }
        Node other = nodes.other(call.node);
        if (other != null) {
            other.fast().add(call);
            other.fast().flush();
        }
    }

    void lookUp(String host, Consumer<List<InetAddress>> then, Consumer<String> orElse) {
        lookups.begin(host, then, orElse);
    }

    void tell(NodeEvent event) {
        try {
            settings.listener().accept(event);
        } catch (RuntimeException e) {
            unexpected(e);
        }
    }

    /** What should not happen is told as an uncaught exception is, and the event loop goes on. */
    void unexpected(Throwable problem) {
        Thread thread = Thread.currentThread();
        thread.getUncaughtExceptionHandler().uncaughtException(thread, problem);
    }

    // ---- the end

    /** Takes no more calls; waits for those that are outstanding, and ends what is left of them then. */
    void close(long patienceNanos) throws InterruptedException {
        if (loop.inEventLoop()) {
            end();
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            return;
        }
        closing = true;
        long until = System.nanoTime() + patienceNanos;
        room.awaitEmpty(until - System.nanoTime());
        CompletableFuture<Void> ended = new CompletableFuture<>();
        if (execute(() -> {
            end();
            ended.complete(null);
        })) {
            ended.join();
        }
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }

    private void end() {
        closing = true;
        outcomes.close();
        nodes.close();
        drain();
        queues.removeAll(call -> true).forEach(outcomes::expired);
        lookups.end();
        nodes.tellClosed();
    }
}
