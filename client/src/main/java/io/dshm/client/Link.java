package io.dshm.client;

import io.dshm.client.internal.Reasons;
import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.text.ProtocolException;
import io.dshm.proto.text.ReplyDecoder;
import io.dshm.proto.text.RequestEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One connection: requests go out in batches, and replies come in the order of the requests. Of the event loop.
 *
 * <p>A batch is handed to the socket when the one before is gone. So what a socket does not take stays where it can be
 * taken back, and a node that does not read holds no more than a batch and what is under way.
 */
final class Link extends ChannelInboundHandlerAdapter {

    /** In the queue of what is under way: the node is asked whether it lives. */
    private static final Object PING = new Object();
    /** The same: a greeting, AUTH or INFO. */
    private static final Object GREETING = new Object();

    private final Core core;
    private final Node node;
    private final boolean fast;
    private final ReplyDecoder decoder = new ReplyDecoder(Limits.VALUE_BYTES_MAX);

    /** Calls, and the two above. */
    private final ArrayDeque<Object> underWay = new ArrayDeque<>();

    private @Nullable Channel channel;
    private @Nullable ByteBuf batch;
    /** The beginning of a reply's line that has not come as a whole; null most of the time. */
    private @Nullable ByteBuf rest;

    private boolean sending;
    private boolean pinged;
    private boolean closed;
    private int batchCalls;
    private long heardNanos = System.nanoTime();

    Link(Core core, Node node, boolean fast) {
        this.core = core;
        this.node = node;
        this.fast = fast;
    }

    void connect(InetAddress address, int port) {
        Bootstrap bootstrap = new Bootstrap()
                .group(core.loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0) // the node looks after that
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel opened) {
                        ClientTls tls = core.settings.tls();
                        if (tls != null) {
                            opened.pipeline()
                                    .addLast(new SslHandler(
                                            tls.engine(node.endpoint().host(), port)));
                        }
                        opened.pipeline().addLast(Link.this);
                    }
                });
        ChannelFuture connected = bootstrap.connect(new InetSocketAddress(address, port));
        channel = connected.channel();
        connected.addListener(result -> {
            if (!result.isSuccess()) {
                end(Reasons.of(result.cause()));
            }
        });
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (core.settings.tls() == null) {
            greet();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake) {
            if (handshake.isSuccess()) {
                greet();
            } else {
                failed(handshake.cause());
            }
        }
    }

    private void greet() {
        String auth = core.settings.auth();
        if (auth != null) {
            ByteBuf line = batch();
            line.writeCharSequence(auth, StandardCharsets.US_ASCII);
            underWay.add(GREETING);
            flush();
        } else {
            introduce();
        }
    }

    private void introduce() {
        if (fast) {
            ask(Command.Info.INFO);
        } else {
            node.ready(this);
        }
    }

    /** Sends PING or INFO at once. */
    void ask(Command question) {
        RequestEncoder.encode(question, batch());
        if (underWay.isEmpty()) {
            heardNanos = System.nanoTime();
        }
        underWay.add(question == Command.Ping.PING ? PING : GREETING);
        pinged |= question == Command.Ping.PING;
        flush();
    }

    boolean isPinged() {
        return pinged;
    }

    /** How many replies are outstanding. */
    int underWay() {
        return underWay.size();
    }

    /** For how long nothing has come of what is outstanding. */
    long silentNanos(long nowNanos) {
        return nowNanos - heardNanos;
    }

    /** Whether it takes one more call now. */
    boolean hasRoom() {
        return !closed
                && !sending
                && underWay.size() < Limits.CLIENT_UNDER_WAY_MAX
                && (batch == null || batch.readableBytes() < Limits.CLIENT_BATCH_BYTES);
    }

    /** Puts a call into the batch. */
    void add(Call<?> call) {
        ByteBuf out = batch();
        int before = out.writerIndex();
        try {
            RequestEncoder.encode(call.toSend(), out);
        } catch (IllegalArgumentException e) {
            out.writerIndex(before);
            core.outcomes.refused(call, e);
            return;
        }
        if (underWay.isEmpty()) {
            heardNanos = System.nanoTime();
        }
        underWay.add(call);
        batchCalls++;
        call.copies++;
        call.attempts++;
        call.node = node;
    }

    private ByteBuf batch() {
        ByteBuf open = batch;
        if (open == null) {
            open = PooledByteBufAllocator.DEFAULT.buffer(Limits.CLIENT_BATCH_BYTES);
            batch = open;
        }
        return open;
    }

    /** Hands the batch to the socket, if the one before is gone. */
    void flush() {
        ByteBuf full = batch;
        Channel open = channel;
        if (sending || full == null || open == null) {
            return;
        }
        batch = null;
        sending = true;
        open.writeAndFlush(full).addListener(result -> {
            sending = false;
            batchCalls = 0;
            if (!result.isSuccess()) {
                end(Reasons.of(result.cause()));
            } else if (batch != null) {
                flush();
            } else if (!closed) {
                core.pumpSoon();
            }
        });
    }

    /**
     * Whether a call is among those of the batch that the socket has not taken yet: it can be taken back, by closing
     * this. A batch is at the end of what is under way.
     */
    boolean hasUnsent(long nowNanos) {
        if (!sending) {
            return false;
        }
        int left = batchCalls;
        for (Iterator<Object> latest = underWay.descendingIterator(); latest.hasNext() && left > 0; ) {
            if (latest.next() instanceof Call<?> call) {
                left--;
                if (call.deadlineNanos - nowNanos <= 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /** All calls that have no reply yet. */
    void forEach(Consumer<Call<?>> action) {
        for (Object one : underWay) {
            if (one instanceof Call<?> call) {
                action.accept(call);
            }
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        heardNanos = System.nanoTime();
        ByteBuf all = rest;
        if (all == null) {
            all = in;
        } else {
            all.writeBytes(in);
            in.release();
        }
        rest = null;
        try {
            for (Reply reply = decoder.decode(all); reply != null; reply = decoder.decode(all)) {
                if (!closed) {
                    replied(reply);
                }
            }
            if (all.isReadable() && !closed) {
                rest = PooledByteBufAllocator.DEFAULT
                        .buffer(Limits.REPLY_LINE_BYTES_MAX)
                        .writeBytes(all);
            }
        } catch (ProtocolException e) {
            end(String.valueOf(e.getMessage()));
        } finally {
            all.release();
        }
    }

    private void replied(Reply reply) {
        Object of = underWay.poll();
        if (of instanceof Call<?> call) {
            core.outcomes.answered(call, node, reply);
        } else if (of == PING) {
            pinged = false;
        } else if (of == null) {
            end("a reply that nobody asked for: " + reply);
        } else {
            greeted(reply);
        }
    }

    private void greeted(Reply reply) {
        boolean toAuth = reply instanceof Reply.Done;
        if (reply instanceof Reply.Failure failure) {
            String reason = failure.code().wireName() + (failure.text() == null ? "" : " " + failure.text());
            switch (failure.code()) {
                case DENIED, AUTH_REQUIRED, MALFORMED_REQUEST -> node.denied(reason);
                default -> end(reason);
            }
        } else if (toAuth) {
            introduce();
        } else {
            node.greeted(this, reply);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        core.pump();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end("the connection was closed");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException) && !(cause.getCause() instanceof IOException)) {
            core.unexpected(cause);
        }
        failed(cause);
    }

    private void failed(Throwable cause) {
        boolean isTls = cause instanceof SSLException || cause.getCause() instanceof SSLException;
        if (isTls && !closed && node.isConnecting()) {
            node.denied("TLS: " + Reasons.of(cause));
        } else {
            end(Reasons.of(cause));
        }
    }

    /** Ends this one, and with it those to the same node. */
    private void end(String reason) {
        if (!closed) {
            node.lost(reason);
        }
    }

    /** Closes; whoever has no reply gets another chance, or learns that its outcome is not known. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        Channel open = channel;
        if (open != null) {
            open.close();
        }
        if (batch != null) {
            batch.release();
            batch = null;
        }
        if (rest != null) {
            rest.release();
            rest = null;
        }
        List<Call<?>> calls = new ArrayList<>();
        forEach(calls::add);
        underWay.clear();
        core.outcomes.broken(calls);
    }
}
