package io.dshm.server.transport;

import com.google.protobuf.MessageLite;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.PeerPort;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes other nodes' calls, on the connections whose greeting asks for that. Until it is opened such connections are
 * closed, and their nodes come again. Thread-safe.
 */
public final class CallServer {

    /** The version of calls that this node sends and takes. */
    static final int VERSION = 1;

    /** Takes requests. */
    @FunctionalInterface
    public interface Handler {
        /**
         * On the connection's event loop: must not block. What is thrown ends the connection.
         *
         * @throws IllegalArgumentException if it is no request
         */
        void onCall(Call call);
    }

    private record Open(CallMessages messages, Handler handler) {}

    private final UnansweredCalls.Total total;
    private final LongSupplier nanoTime;
    private volatile @Nullable Open open;

    /** A closed one. What waits is counted there; {@code nanoTime} is the machine's monotonic clock. */
    public CallServer(UnansweredCalls.Total total, LongSupplier nanoTime) {
        this.total = total;
        this.nanoTime = nanoTime;
    }

    /** Takes calls from now on. */
    public void open(CallMessages messages, Handler handler) {
        open = new Open(messages, handler);
    }

    /** Takes no calls on new connections. */
    public void close() {
        open = null;
    }

    /** What is counted of the requests and answers that wait; others may count theirs as well. */
    public UnansweredCalls.Total waiting() {
        return total;
    }

    boolean isOpen() {
        return open != null;
    }

    /** The last handler of a connection on which nothing but calls comes from now on. */
    Connection connection(Channel channel, PeerPort port) {
        return new Connection(channel, port);
    }

    /** A connection of another node. Confined to its event loop, but for what says otherwise. */
    public final class Connection extends ChannelInboundHandlerAdapter {

        private final Channel channel;
        private final PeerPort port;
        private final UnansweredCalls unanswered;
        private final ConcurrentMap<String, Object> attributes = new ConcurrentHashMap<>();
        private boolean flushNeeded;

        private Connection(Channel channel, PeerPort port) {
            this.channel = channel;
            this.port = port;
            this.unanswered = new UnansweredCalls(channel, total, nanoTime);
        }

        /** What the handler keeps with the connection. Any thread. */
        public ConcurrentMap<String, Object> attributes() {
            return attributes;
        }

        /** Ends it. Any thread. */
        public void close() {
            channel.close();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
            ByteBuf frame = (ByteBuf) message;
            try {
                read(frame);
            } finally {
                frame.release();
            }
        }

        private void read(ByteBuf frame) throws IOException {
            int bytes = frame.readableBytes();
            int kind = frame.readUnsignedByte();
            int number = frame.readInt();
            if (kind == CallFrame.BEAT.kind()) {
                return;
            }
            Open current = open;
            if (current == null) {
                channel.close();
                return;
            }
            MessageLite request = CallFrame.parse(current.messages, kind, frame);
            if (!unanswered.took(number, bytes)) {
                throw new IllegalArgumentException("request " + number + " twice");
            }
            current.handler.onCall(new Call(this, current.messages, number, request));
        }

        private void send(CallFrame answer) {
            unanswered.answered(answer.number());
            if (!channel.isActive()) {
                return;
            }
            long bytes = answer.bytes();
            unanswered.sending(bytes);
            ChannelFuture sending = channel.write(answer);
            sending.addListener(done -> {
                unanswered.sending(-bytes);
                if (!done.isSuccess()) {
                    channel.close();
                }
            });
            if (!flushNeeded) {
                flushNeeded = true;
                // What is answered in one round of the event loop leaves together.
                channel.eventLoop().execute(() -> {
                    flushNeeded = false;
                    channel.flush();
                });
            }
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext context) {
            unanswered.end();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Guard.check("a connection of another node", cause);
            PeerCodec.failed(port, channel.remoteAddress(), cause);
            context.close();
        }
    }

    /** A request that is to be answered once. Thread-safe. */
    public static final class Call {

        private final Connection connection;
        private final CallMessages messages;
        private final int number;
        private final MessageLite request;

        private Call(Connection connection, CallMessages messages, int number, MessageLite request) {
            this.connection = connection;
            this.messages = messages;
            this.number = number;
            this.request = request;
        }

        public MessageLite request() {
            return request;
        }

        /** Where it came from. */
        public Connection connection() {
            return connection;
        }

        /** The other side's address, for messages. */
        public String remoteAddress() {
            return String.valueOf(connection.channel.remoteAddress());
        }

        /** Sends the answer, unless the connection has ended. */
        public void answer(MessageLite answer) {
            CallFrame frame = new CallFrame(messages.kindOf(answer), number, answer);
            connection.channel.eventLoop().execute(() -> connection.send(frame));
        }
    }
}
