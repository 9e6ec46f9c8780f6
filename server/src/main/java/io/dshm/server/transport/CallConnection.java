package io.dshm.server.transport;

import com.google.protobuf.MessageLite;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusRequest;
import io.dshm.server.guard.Guard;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection on which this node calls another one. It greets, learns whether the other node takes calls, then matches
 * answers with requests. Every request gets exactly one answer or failure; the end of the connection and the request's
 * time-out are failures.
 *
 * <p>The last handler of its pipeline; confined to its event loop, but for {@link #call}.
 */
final class CallConnection extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(CallConnection.class);

    /** A node must answer the greeting within this time; a node that was paused is greeted again later. */
    static final int GREETING_MILLIS = 1_000;

    static final PeerMessage QUESTION = PeerMessage.newBuilder()
            .setStatusRequest(StatusRequest.getDefaultInstance())
            .build();

    /** Events of the connection, on its event loop. */
    interface Events {
        /** The other node has answered the greeting. If it takes no calls, it is a node of format 1. */
        void onGreeted(CallConnection connection, boolean takesCalls);

        /** Called once, even if the connection was never made. */
        void onEnded(CallConnection connection);
    }

    private final PeerMessage hello;
    private final CallMessages messages;
    private final long unsentBytesMax;
    private final Events events;

    /** Bytes of requests that are not sent yet; any thread. */
    private final AtomicLong unsent = new AtomicLong();

    private final IntObjectMap<Request> unanswered = new IntObjectHashMap<>();
    private int lastNumber;

    /** Set before the connection is handed out. */
    private @Nullable Channel channel;

    private boolean greeted;
    private boolean takesCalls;
    private boolean ended;
    private boolean flushNeeded;
    private @Nullable Future<?> timing;
    private long timingNanos;

    /**
     * Creates an object that is not connected yet.
     *
     * @param hello this node's greeting
     * @param unsentBytesMax how many bytes of requests may wait to be sent
     */
    CallConnection(PeerMessage hello, CallMessages messages, long unsentBytesMax, Events events) {
        this.hello = hello;
        this.messages = messages;
        this.unsentBytesMax = unsentBytesMax;
        this.events = events;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (ended) {
            context.close();
            return;
        }
        channel = context.channel();
        context.channel().write(hello);
        context.channel().writeAndFlush(QUESTION);
        timing = context.executor().schedule(this::greetingMissing, GREETING_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void greetingMissing() {
        if (!greeted) {
            close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
        ByteBuf frame = (ByteBuf) message;
        try {
            if (ended) {
                return;
            }
            if (takesCalls) {
                onAnswer(frame);
            } else if (!greeted) {
                onGreeting(context, PeerMessage.parseFrom(ByteBufUtil.getBytes(frame)));
            }
            // Else a node of format 1 shows that it is alive: nothing to do.
        } finally {
            frame.release();
        }
    }

    private void onGreeting(ChannelHandlerContext context, PeerMessage reply) {
        switch (reply.getMessageCase()) {
            case HELLO_REPLY -> {
                int version = reply.getHelloReply().getCalls();
                if (version != CallServer.VERSION) {
                    throw new IllegalArgumentException("calls of version " + version);
                }
                takesCalls = true;
            }
            case STATUS_REPLY -> takesCalls = false;
            case HELLO, FORWARD, FORWARD_REPLY, STATUS_REQUEST, MESSAGE_NOT_SET ->
                throw new IllegalArgumentException("no answer to a greeting: " + reply.getMessageCase());
        }
        greeted = true;
        if (timing != null) {
            timing.cancel(false);
            timing = null;
        }
        context.pipeline().addFirst(Heartbeat.always(takesCalls ? CallFrame.BEAT : QUESTION));
        events.onGreeted(this, takesCalls);
    }

    private void onAnswer(ByteBuf frame) throws IOException {
        int kind = frame.readUnsignedByte();
        int number = frame.readInt();
        if (kind == CallFrame.BEAT.kind()) {
            return;
        }
        // Null if the request has timed out.
        Request request = unanswered.remove(number);
        if (request != null) {
            MessageLite answer;
            try {
                answer = CallFrame.parse(messages, kind, frame);
            } catch (IOException | RuntimeException e) {
                request.answer.done(null, e);
                throw e;
            }
            request.answer.done(answer, null);
        }
    }

    /**
     * Sends a request. Any thread.
     *
     * @param answer is called exactly once, unless this method throws
     * @throws IOException if too much waits already: the other node does not read
     */
    void call(MessageLite message, long timeoutMillis, CallAnswer answer) throws IOException {
        Channel open = channel;
        if (open == null) {
            throw new IOException("not connected yet");
        }
        Request request =
                new Request(message, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis), answer);
        long waiting = unsent.addAndGet(request.bytes);
        if (waiting > unsentBytesMax && waiting > request.bytes) {
            unsent.addAndGet(-request.bytes);
            throw new IOException(waiting + " bytes wait to be sent");
        }
        try {
            open.eventLoop().execute(request);
        } catch (RejectedExecutionException e) {
            throw new IOException("this node stops", e);
        }
    }

    /** A request that is not answered yet. */
    private final class Request implements Runnable, ChannelFutureListener {

        private final long deadlineNanos;
        private final int kind;
        private final int bytes;
        private final CallAnswer answer;

        /** Null once it is sent: it may be large, and the answer may take long. */
        private @Nullable MessageLite message;

        Request(MessageLite message, long deadlineNanos, CallAnswer answer) {
            this.message = message;
            this.kind = messages.kindOf(message);
            this.bytes = message.getSerializedSize();
            this.deadlineNanos = deadlineNanos;
            this.answer = answer;
        }

        @Override
        public void run() {
            Channel open = channel;
            MessageLite request = message;
            message = null;
            if (ended || open == null || request == null) {
                unsent.addAndGet(-bytes);
                answer.done(null, new IOException("the connection has ended"));
                return;
            }
            lastNumber++;
            unanswered.put(lastNumber, this);
            open.write(new CallFrame(kind, lastNumber, request)).addListener(this);
            flushSoon(open);
            timeOutAt(open, deadlineNanos);
        }

        @Override
        public void operationComplete(ChannelFuture sent) {
            unsent.addAndGet(-bytes);
            if (!sent.isSuccess()) {
                close();
            }
        }
    }

    /** Requests of one round of the event loop are flushed together. */
    private void flushSoon(Channel open) {
        if (!flushNeeded) {
            flushNeeded = true;
            open.eventLoop().execute(() -> {
                flushNeeded = false;
                open.flush();
            });
        }
    }

    /** One timer, for the request that times out first. */
    private void timeOutAt(Channel open, long deadlineNanos) {
        if (timing != null) {
            if (deadlineNanos - timingNanos >= 0) {
                return;
            }
            timing.cancel(false);
        }
        timingNanos = deadlineNanos;
        timing =
                open.eventLoop().schedule(() -> timeOut(open), deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    private void timeOut(Channel open) {
        timing = null;
        long now = System.nanoTime();
        List<Request> late = new ArrayList<>();
        Request next = null;
        for (var each = unanswered.values().iterator(); each.hasNext(); ) {
            Request request = each.next();
            if (request.deadlineNanos - now <= 0) {
                late.add(request);
                each.remove();
            } else if (next == null || request.deadlineNanos - next.deadlineNanos < 0) {
                next = request;
            }
        }
        if (next != null) {
            timeOutAt(open, next.deadlineNanos);
        }
        for (Request request : late) {
            request.answer.done(null, new TimeoutException("no answer in time"));
        }
    }

    /** Ends the connection. */
    void close() {
        if (channel == null) {
            end();
        } else {
            channel.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Guard.check("a connection to another node", cause);
        LOG.debug("connection to {} broken: {}", context.channel().remoteAddress(), cause.toString());
        context.close();
    }

    /** The connection has ended, or could not be made. */
    void end() {
        if (ended) {
            return;
        }
        ended = true;
        if (timing != null) {
            timing.cancel(false);
        }
        List<Request> lost = new ArrayList<>(unanswered.values());
        unanswered.clear();
        events.onEnded(this);
        for (Request request : lost) {
            request.answer.done(null, new IOException("the connection has ended"));
        }
    }
}
