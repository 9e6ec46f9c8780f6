package io.dshm.server.transport;

import com.google.protobuf.MessageLite;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to one other member for calls: two connections, so that large messages on the one do not hold up the small
 * ones on the other, which are made again in the background for as long as the link is not closed. Nobody waits for
 * them here. Thread-safe.
 *
 * <p>A node of format 1 takes no calls. As long as one connection to it holds, that is known and it is not asked again:
 * to become another one it has to start anew.
 */
public final class MemberLink implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(MemberLink.class);

    /** Between a failure and the next attempt, at first and at most: a node that starts is reached soon. */
    private static final int PAUSE_MILLIS_MIN = 25;

    private static final int PAUSE_MILLIS_MAX = 400;

    /** What the other node does. */
    public enum Speech {
        /** There is no answer of it now. */
        UNKNOWN,
        /** It takes calls. */
        CALLS,
        /** It is one of format 1. */
        NO_CALLS
    }

    private record State(
            Speech speech,
            @Nullable CallConnection control,
            @Nullable CallConnection bulk) {}

    private static final State UNKNOWN = new State(Speech.UNKNOWN, null, null);

    private final String member;
    private final Dialer dialer;
    private final CallMessages messages;
    private final long unsentBytesMax;
    private final Runnable onKnown;
    private final EventLoop loop;
    private final CallConnection.Events events = new CallConnection.Events() {
        @Override
        public void onGreeted(CallConnection connection, boolean takesCalls) {
            greeted(connection, takesCalls);
        }

        @Override
        public void onEnded(CallConnection connection) {
            ended(connection);
        }
    };

    private volatile State state = UNKNOWN;
    private volatile CompletableFuture<Speech> known = new CompletableFuture<>();

    // On the event loop only:
    private @Nullable CallConnection control;
    private @Nullable CallConnection bulk;
    private int pauseMillis = PAUSE_MILLIS_MIN;
    private boolean closed;

    /**
     * Begins to connect.
     *
     * @param unsentBytesMax what may wait to be sent on one connection, unless it is a single message
     * @param onKnown told whenever the other node has said what it does; on an event loop: must not block
     */
    public MemberLink(String member, Dialer dialer, CallMessages messages, long unsentBytesMax, Runnable onKnown) {
        this.member = member;
        this.dialer = dialer;
        this.messages = messages;
        this.unsentBytesMax = unsentBytesMax;
        this.onKnown = onKnown;
        this.loop = dialer.nextLoop();
        loop.execute(this::connect);
    }

    /** What the other node does, as far as that is known now. */
    public Speech speech() {
        return state.speech;
    }

    /** What the other node does; failed if the attempt to find out that is under way, or the next one, fails. */
    public CompletableFuture<Speech> known() {
        return known.copy();
    }

    /**
     * Calls the other node.
     *
     * @param large whether the message or its answer may be large
     * @param answer is told exactly once if this returns, on an event loop: must not block. A failure is a
     *     {@link java.util.concurrent.TimeoutException} or an {@link IOException}
     * @throws IOException if there is no connection for calls now, or too much waits to be sent
     */
    public void call(boolean large, MessageLite message, long timeoutMillis, CallAnswer answer) throws IOException {
        State now = state;
        CallConnection connection = large ? now.bulk : now.control;
        if (connection == null) {
            throw new IOException("not connected to " + member + " yet");
        }
        connection.call(message, timeoutMillis, answer);
    }

    private void connect() {
        if (!closed) {
            control = dial();
        }
    }

    private CallConnection dial() {
        CallConnection connection = new CallConnection(dialer.helloForCalls(member), messages, unsentBytesMax, events);
        dialer.find(member)
                .whenComplete((address, failure) -> loop.execute(() -> {
                    if (closed) {
                        return;
                    }
                    if (failure != null) {
                        connection.end();
                        return;
                    }
                    dialer.connectForCalls(loop, member, address, connection).addListener(done -> {
                        if (!done.isSuccess()) {
                            connection.end();
                        }
                    });
                }));
        return connection;
    }

    private void greeted(CallConnection connection, boolean takesCalls) {
        if (connection == control && takesCalls) {
            bulk = dial();
        } else if (connection == control) {
            become(new State(Speech.NO_CALLS, null, null));
        } else if (connection == bulk && takesCalls) {
            become(new State(Speech.CALLS, control, bulk));
        } else {
            connection.close();
        }
    }

    private void become(State next) {
        pauseMillis = PAUSE_MILLIS_MIN;
        state = next;
        LOG.debug("{}: {}", member, next.speech);
        known.complete(next.speech);
        onKnown.run();
    }

    private void ended(CallConnection connection) {
        if (connection != control && connection != bulk) {
            return;
        }
        CallConnection other = connection == control ? bulk : control;
        control = null;
        bulk = null;
        CompletableFuture<Speech> before = known;
        known = new CompletableFuture<>();
        state = UNKNOWN;
        before.completeExceptionally(new IOException("no connection to " + member));
        if (other != null) {
            other.close();
        }
        if (!closed) {
            loop.schedule(this::connect, pauseMillis, TimeUnit.MILLISECONDS);
            pauseMillis = Math.min(2 * pauseMillis, PAUSE_MILLIS_MAX);
        }
    }

    /** Ends both connections, and makes no others. */
    @Override
    public void close() {
        loop.execute(() -> {
            closed = true;
            if (control != null) {
                control.close();
            }
        });
    }
}
