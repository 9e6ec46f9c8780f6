package io.dshm.client.cli.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A thread of the load with connections of its own. In a closed loop a connection that has room gets a request at once.
 * In an open loop requests are due at fixed times, whatever the server does; each goes to a connection with room, and
 * waits if none has.
 */
final class Worker implements Runnable, AutoCloseable {

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LOOK_MILLIS = TimeUnit.NANOSECONDS.toMillis(LOOK_NANOS);
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    /** A selector waits for whole milliseconds; below that, it is asked again and again with such pauses. */
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(20);

    private final Plan plan;
    private final Target target;
    private final String prefix;
    private final int index;
    private final SplittableRandom random;
    private final Selector selector;
    private final Consumer<SelectionKey> onReady = this::ready;
    private final Connection[] connections;
    private final Request request = new Request();
    private final Reply reply = new Reply();
    final Checks checks;
    final Meter meter;

    /** Connections with room, a ring, the longest unused one first. */
    private final int[] withRoom;

    private int roomFrom;
    private int roomCount;
    private final Connection[] dirty;
    private int dirtyCount;
    private int outstanding;

    private long measureFrom;
    private long end;
    private long begin;
    private long scheduled;
    private long measured;
    private final long countMax;
    private final double interval;
    private long nextLook;
    private volatile boolean ended;
    private volatile @Nullable RuntimeException fault;

    /**
     * @param index of this worker; its first connection goes to the endpoint of that number, the next ones to the
     *     following ones, by turns
     */
    Worker(Plan plan, Target target, String prefix, int index, Checks checks) throws IOException {
        this.plan = plan;
        this.target = target;
        this.prefix = prefix;
        this.index = index;
        this.checks = checks;
        this.meter = new Meter(plan.mix());
        this.random = new SplittableRandom(plan.seed() * 31 + index);
        this.selector = Selector.open();
        int count = plan.connections() / plan.threads() + (index < plan.connections() % plan.threads() ? 1 : 0);
        this.connections = new Connection[count];
        this.withRoom = new int[count];
        this.dirty = new Connection[count];
        for (int i = 0; i < count; i++) {
            connections[i] = new Connection(
                    i,
                    plan.pipeline(),
                    (index + i * plan.threads()) % target.endpoints().size(),
                    target.security().tls());
        }
        this.countMax = plan.count() / plan.threads() + (index < plan.count() % plan.threads() ? 1 : 0);
        this.interval = plan.rate() > 0 ? 1e9 * plan.threads() / plan.rate() : 0;
    }

    /**
     * Connects all, each to the next endpoint where one does not accept it.
     *
     * @throws IOException if no endpoint does
     */
    void connect() throws IOException {
        for (Connection connection : connections) {
            int endpoints = target.endpoints().size();
            for (int attempt = 1; !connection.isUp(); attempt++) {
                InetSocketAddress address = target.endpoints().get(connection.endpoint);
                try {
                    connection.connect(
                            address, selector, (int) plan.timeout().toMillis(), target.dialect(plan, prefix));
                } catch (IOException e) {
                    if (attempt == endpoints) {
                        throw new IOException(address + ": " + e.getMessage(), e);
                    }
                    connection.endpoint = (connection.endpoint + 1) % endpoints;
                }
            }
        }
    }

    /** Sets when all begins; before {@link #run}. */
    void schedule(long beginAt) {
        begin = beginAt;
        measureFrom = beginAt + plan.warmUp().toNanos();
        end = measureFrom + plan.duration().toNanos();
    }

    /** Whether it has ended before its time, because it has sent as many as it was asked to. */
    boolean isEnded() {
        return ended;
    }

    /**
     * Throws what ended it before its time, after it has ended.
     *
     * @throws RuntimeException a fault of the generator itself
     */
    void rethrow() {
        RuntimeException thrown = fault;
        if (thrown != null) {
            throw thrown;
        }
    }

    /** When it stopped to send, after it has ended. */
    long end() {
        return end;
    }

    @Override
    public void run() {
        try {
            loop();
        } catch (IOException e) {
            fault = new IllegalStateException("the selector failed", e);
        } catch (RuntimeException e) {
            fault = e;
        } finally {
            ended = true;
        }
    }

    private void loop() throws IOException {
        for (int i = 0; i < connections.length; i++) {
            offer(i);
        }
        long now = System.nanoTime();
        while (now - end < 0 && measured < countMax) {
            send(now);
            flush();
            select(now);
            now = System.nanoTime();
            look(now);
        }
        end = Math.min(end, now);
        if (interval > 0 && measured < countMax) {
            for (long due = due(); due - end < 0; due = due()) {
                scheduled++;
                if (due - measureFrom >= 0) {
                    meter.neverSent++;
                    meter.record(plan.mix().next(random), end - due);
                }
            }
        }
        long patience = now + plan.timeout().toNanos();
        while (outstanding > 0 && now - patience < 0) {
            flush();
            selector.select(onReady, LOOK_MILLIS);
            now = System.nanoTime();
        }
        for (int i = 0; i < connections.length; i++) {
            lose(i, "no reply in time");
        }
    }

    private long due() {
        return begin + (long) ((scheduled + (double) index / plan.threads()) * interval);
    }

    private void offer(int i) {
        Connection connection = connections[i];
        if (!connection.queued && connection.hasRoom()) {
            connection.queued = true;
            withRoom[(roomFrom + roomCount++) % withRoom.length] = i;
        }
    }

    private @Nullable Connection poll() {
        while (roomCount > 0) {
            Connection connection = connections[withRoom[roomFrom]];
            roomFrom = (roomFrom + 1) % withRoom.length;
            roomCount--;
            connection.queued = false;
            if (connection.hasRoom()) {
                return connection;
            }
        }
        return null;
    }

    private void send(long now) {
        if (interval == 0) {
            for (Connection connection = poll(); connection != null; connection = poll()) {
                while (connection.hasRoom() && measured < countMax) {
                    send(connection, now, now);
                }
            }
            return;
        }
        for (long due = due(); due - now <= 0 && due - end < 0 && measured < countMax; due = due()) {
            int i = roomCount > 0 ? withRoom[roomFrom] : -1;
            Connection connection = poll();
            if (connection == null) {
                return;
            }
            scheduled++;
            send(connection, due, now);
            if (connection == connections[i]) {
                offer(i);
            }
        }
    }

    private void send(Connection connection, long begun, long now) {
        Op op = plan.mix().next(random);
        Flight flight = connection.take();
        flight.op = op;
        flight.key = checks.key(op, random);
        flight.begun = begun;
        flight.sent = now;
        request.op = op;
        request.space = op.space;
        request.key = flight.key;
        request.stores = false;
        if (op.hasValue()) {
            request.size = plan.sizeMin() == plan.sizeMax()
                    ? plan.sizeMin()
                    : random.nextInt(plan.sizeMin(), plan.sizeMax() + 1);
        }
        if (begun - measureFrom >= 0) {
            measured++;
            if (interval > 0) {
                meter.late(now - begun);
            }
        }
        write(connection, flight);
    }

    private void write(Connection connection, Flight flight) {
        checks.sending(flight, request);
        Checks.there(connection.dialect).write(connection.out, request);
        outstanding++;
        mark(connection);
    }

    private void mark(Connection connection) {
        if (!connection.dirty) {
            connection.dirty = true;
            dirty[dirtyCount++] = connection;
        }
    }

    private void flush() {
        while (dirtyCount > 0) {
            Connection connection = dirty[--dirtyCount];
            connection.dirty = false;
            if (connection.isUp() && !connection.out.isEmpty()) {
                try {
                    connection.write();
                } catch (IOException e) {
                    lose(connection.index, reason(e));
                }
            }
        }
    }

    private void select(long now) throws IOException {
        if (interval == 0 || roomCount == 0) {
            selector.select(onReady, LOOK_MILLIS);
            return;
        }
        long wait = due() - now;
        if (wait >= 2 * MILLI) {
            selector.select(onReady, Math.min(LOOK_MILLIS, wait / MILLI - 1));
        } else if (selector.selectNow(onReady) == 0 && wait > PAUSE_NANOS) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private void ready(SelectionKey key) {
        Connection connection = (Connection) key.attachment();
        try {
            if (key.isConnectable()) {
                connection.finish(target.dialect(plan, prefix));
                mark(connection);
            }
            if (key.isValid() && key.isWritable()) {
                connection.write();
            }
            if (key.isValid() && key.isReadable()) {
                boolean open = connection.read();
                replies(connection);
                if (!open) {
                    lose(connection.index, "the server closed the connection");
                    return;
                }
            }
            offer(connection.index);
        } catch (IOException e) {
            lose(connection.index, reason(e));
        }
    }

    private static String reason(IOException e) {
        return String.valueOf(e.getMessage());
    }

    private void replies(Connection connection) throws IOException {
        long now = System.nanoTime();
        Dialect dialect = Checks.there(connection.dialect);
        while (!connection.in.isEmpty() && dialect.read(connection.in, reply, connection.out)) {
            Flight flight = connection.settle(reply.number);
            if (flight == null) {
                throw new IOException("a reply without a request");
            }
            outstanding--;
            if (flight.op == Op.CAS && !flight.stores && wantsStore()) {
                store(connection, flight, now);
            } else {
                settle(flight, now);
            }
        }
        if (!connection.out.isEmpty()) {
            mark(connection);
        }
    }

    private boolean wantsStore() {
        return reply.outcome == Reply.Outcome.OK || reply.outcome == Reply.Outcome.MISS;
    }

    /** The second request of a compare and set, which counts from the begin of the first. */
    private void store(Connection connection, Flight first, long now) {
        int key = first.key;
        long begun = first.begun;
        boolean missing = reply.outcome == Reply.Outcome.MISS;
        Flight flight = connection.take();
        flight.op = Op.CAS;
        flight.key = key;
        flight.begun = begun;
        flight.sent = now;
        flight.stores = true;
        flight.number = (missing ? 0 : reply.asNumber()) + 1;
        request.op = Op.CAS;
        request.space = Op.CAS.space;
        request.key = key;
        request.stores = true;
        request.version = missing ? 0 : reply.version;
        request.tag = flight.number;
        write(connection, flight);
    }

    private void settle(Flight flight, long now) {
        checks.replied(flight, reply, now);
        if (flight.begun - measureFrom < 0) {
            return;
        }
        meter.record(flight.op, now - flight.begun);
        meter.outcomes.merge(reply.outcome, 1L, Long::sum);
        if (now - end <= 0) {
            meter.inTime++;
        }
        if (reply.outcome == Reply.Outcome.FAILED || reply.outcome == Reply.Outcome.UNKNOWN) {
            meter.error(reply.error);
        }
    }

    /** Gives a connection up: what is on its way has no outcome that anybody knows. */
    private void lose(int i, String why) {
        Connection connection = connections[i];
        // At the end of all, one that has nothing on its way is only closed.
        boolean broken = connection.isUp() && (connection.outstanding() > 0 || System.nanoTime() - end < 0);
        connection.close();
        long now = System.nanoTime();
        for (Flight flight = connection.settle(-1); flight != null; flight = connection.settle(-1)) {
            outstanding--;
            reply.begin();
            boolean changesNothing = flight.op.isRead() || (flight.op == Op.CAS && !flight.stores);
            reply.outcome = changesNothing ? Reply.Outcome.FAILED : Reply.Outcome.UNKNOWN;
            reply.error = why;
            settle(flight, now);
        }
        if (broken) {
            meter.breaks++;
        }
        connection.endpoint = (connection.endpoint + 1) % target.endpoints().size();
        connection.retryAt = now + RETRY_NANOS;
    }

    /** From time to time: gives up who does not reply, connects again. */
    private void look(long now) {
        if (now - nextLook < 0) {
            return;
        }
        nextLook = now + LOOK_NANOS;
        for (int i = 0; i < connections.length; i++) {
            Connection connection = connections[i];
            if (connection.outstanding() > 0
                    && now - connection.oldestSent() > plan.timeout().toNanos()) {
                lose(i, "no reply in time");
            }
            if (connection.channel == null && now - connection.retryAt >= 0) {
                try {
                    connection.reconnect(target.endpoints().get(connection.endpoint), selector);
                } catch (IOException e) {
                    lose(i, reason(e));
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (Connection connection : connections) {
            connection.close();
        }
        selector.close();
    }
}
