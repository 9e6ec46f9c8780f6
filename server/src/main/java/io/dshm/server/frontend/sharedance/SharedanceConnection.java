package io.dshm.server.frontend.sharedance;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.frontend.ClientConnection;
import io.dshm.server.frontend.CommandCounts;
import io.dshm.server.frontend.CommandKind;
import io.dshm.server.frontend.ConfiguredUser;
import io.dshm.server.frontend.ConnectionSet;
import io.dshm.server.frontend.LargeReply;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.frontend.UnreadReplies;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.SocketEnds;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.contracts.ReplyListener;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection: it decodes one command, has it carried out, replies and closes. Confined to its event loop.
 *
 * <p>The protocol has no errors, and does not say how long a reply is. So there are two ways in which a connection
 * ends. It is closed if that is the answer, or the end of it: the reply is complete, nothing is stored under the key,
 * or the bytes were no command. In all other cases it is reset, in the middle of a reply, too: there is no leader, or
 * the node is stopping or lags behind, the listener's user may not do it, the client does not read, the process ends.
 * Old clients take both for the end of the reply. A client that tells them apart can ask the next node, instead of
 * treating the session as lost.
 */
final class SharedanceConnection extends ChannelInboundHandlerAdapter implements ClientConnection {

    private static final Logger LOG = LoggerFactory.getLogger(SharedanceConnection.class);
    private static final byte[] OK = "OK\n".getBytes(StandardCharsets.US_ASCII);

    private static final Reply.Failure DENIED = new Reply.Failure(ErrorCode.DENIED, null);
    private static final Reply.Failure BUSY =
            new Reply.Failure(ErrorCode.BUSY, "too many bytes of large commands are on their way to this node");

    /** Bytes that a client must send between two checks while this node holds shared memory for it. */
    private static final int PROGRESS_BYTES = 1024;

    private final Lane lane;
    private final SharedanceDecoder decoder;
    private final MemoryBudget budget;
    private final ReadMode readMode;
    private final ConfiguredUser user;
    private final ConnectionSet connections;
    private final UnreadReplies unread;
    private final CommandCounts counts;

    private @Nullable ChannelHandlerContext context;

    /** The command was taken; what comes now is its reply. */
    private boolean asked;

    private boolean ended;

    private @Nullable LargeReply reply;

    /**
     * Bytes of the reply that {@link #unread} counts; none before there is a reply, and none after the connection has
     * ended.
     */
    private byte[] replyBytes = {};

    private long bytesReceived;
    private long bytesMovedBefore;
    private int idleChecks;

    SharedanceConnection(
            Lane lane,
            SharedanceDecoder decoder,
            MemoryBudget budget,
            ReadMode readMode,
            ConfiguredUser user,
            ConnectionSet connections) {
        this.lane = lane;
        this.decoder = decoder;
        this.budget = budget;
        this.readMode = readMode;
        this.user = user;
        this.connections = connections;
        this.unread = connections.newUnreadReplies();
        this.counts = connections.counts();
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        context = active;
        connections.add(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        discard();
    }

    /** Releases all memory that is held for the client. May be called again. */
    private void discard() {
        ended = true;
        connections.remove(this);
        decoder.close();
        if (reply != null) {
            reply.close();
        }
        unread.release(replyBytes);
        unread.setEncoded(0);
        replyBytes = new byte[0];
    }

    @Override
    public void channelRead(ChannelHandlerContext reading, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        bytesReceived += bytes.readableBytes();
        counts.bytesReceived().add(bytes.readableBytes());
        decoder.decode(bytes);
        bytes.release();
    }

    /** Called after all that has arrived was decoded: only then is it known that nothing follows the command. */
    @Override
    public void channelReadComplete(ChannelHandlerContext reading) {
        if (ended) {
            return;
        }
        Command command = decoder.take();
        if (decoder.isBusy()) {
            fail(BUSY);
        } else if (decoder.isRefused()) {
            closeAfterAll();
        }
        if (command != null
                && !user.admits(lane.reads().users(), command, reading.channel().remoteAddress())) {
            deny(command);
            return;
        }
        if (command != null) {
            connections.hotKeys().asked(command);
        }
        if (command instanceof Command.Write write) {
            asked = true;
            counts.begin();
            CommandKind kind = write instanceof Command.Set ? CommandKind.SET : CommandKind.DELETE;
            lane.submit(write, user.numberIn(lane.reads().users()), replyTo(write, kind, this::onWritten));
        } else if (command instanceof Command.Get get) {
            asked = true;
            counts.begin();
            read(get);
        }
    }

    private void read(Command.Get get) {
        if (readMode == ReadMode.LINEARIZABLE) {
            counts.read(CommandCounts.ReadWay.LINEARIZABLE);
            lane.readLinearizable(get, replyTo(get, CommandKind.GET, found -> onRead(get, found)));
        } else if (lane.reads().isCurrent(get)) {
            counts.read(CommandCounts.ReadWay.LOCAL);
            Reply found = lane.reads().read(get);
            counts.answeredAtOnce(CommandKind.GET, found);
            counts.end();
            giveBack(get);
            onRead(get, found);
        } else {
            counts.read(CommandCounts.ReadWay.LOCAL_WAITED);
            lane.awaitRead(get, replyTo(get, CommandKind.GET, found -> onRead(get, found)));
        }
    }

    private ReplyListener replyTo(Command command, CommandKind kind, Consumer<Reply> client) {
        long sinceNanos = counts.begunNanos();
        return new ReplyListener() {
            private boolean holds = true;

            @Override
            public void onReply(Reply known) {
                stopHolding();
                counts.answered(kind, known, sinceNanos);
                client.accept(known);
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                stopHolding();
                context().close();
            }

            private void stopHolding() {
                if (holds) {
                    giveBack(command);
                    holds = false;
                }
            }
        };
    }

    private void giveBack(Command command) {
        int held = RequestDecoder.budgetOf(command);
        if (held > 0) {
            budget.release(held);
        }
    }

    private void deny(Command command) {
        asked = true;
        giveBack(command);
        fail(DENIED);
    }

    private void onWritten(Reply outcome) {
        if (outcome instanceof Reply.Failure failure) {
            fail(failure);
        } else if (outcome == Reply.Done.ABSENT) {
            closeAfterAll();
        } else {
            send(OK);
        }
    }

    private void onRead(Command.Get get, Reply found) {
        if (!user.admits(lane.reads().users(), get, context().channel().remoteAddress())) {
            fail(DENIED);
            return;
        }
        Reply read = unread.admit(found);
        if (read instanceof Reply.Value value) {
            send(value.bytes());
        } else if (read instanceof Reply.IntegerValue integer) {
            send(Long.toString(integer.number()).getBytes(StandardCharsets.US_ASCII));
        } else if (read == Reply.Failure.NOT_FOUND) {
            closeAfterAll();
        } else if (read instanceof Reply.Failure failure) {
            fail(failure);
        }
    }

    private void send(byte[] bytes) {
        if (ended) {
            return;
        }
        replyBytes = bytes;
        counts.bytesSent().add(bytes.length);
        unread.hold(bytes);
        LargeReply sending = new LargeReply(bytes, unread);
        reply = sending;
        context().writeAndFlush(sending).addListener(sent -> {
            if (sent.isSuccess()) {
                closeAfterAll();
            } else {
                context().close();
            }
        });
        if (!ended) {
            // The first pieces, which the client has not taken: later ones come only in their place.
            unread.countPending(context().channel());
        }
    }

    private void fail(Reply.Failure failure) {
        LOG.debug(
                "reset {}: {} {}",
                context().channel().remoteAddress(),
                failure.code().wireName(),
                failure.text());
        SocketEnds.drop(context().channel());
    }

    /** The client has its answer, and may believe it. */
    private void closeAfterAll() {
        SocketEnds.closeAfterAll((SocketChannel) context().channel());
    }

    /** From a client that takes nothing, nothing is read: with TLS, there would be answers to what it sends. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext changed) {
        changed.channel().config().setAutoRead(changed.channel().isWritable());
        changed.fireChannelWritabilityChanged();
    }

    /** The client has closed its sending side. Without a whole command there is no reply to wait for. */
    @Override
    public void userEventTriggered(ChannelHandlerContext told, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE && !asked) {
            closeAfterAll();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext failed, Throwable cause) {
        Guard.check("a Sharedance connection", cause);
        if (cause instanceof IOException) {
            LOG.debug("connection of {} lost: {}", failed.channel().remoteAddress(), cause.toString());
        } else {
            LOG.error("connection of {} closed", failed.channel().remoteAddress(), cause);
        }
        failed.close();
    }

    /**
     * Ends a connection on which no byte was sent or received for too many checks. One byte between two checks is
     * enough, except while this node holds shared memory for the client. There is no limit while the command waits for
     * the cluster.
     */
    @Override
    public void checkProgress(int checksMax) {
        LargeReply sending = reply;
        long bytesMoved = bytesReceived + (sending == null ? 0 : sending.progress());
        long moved = bytesMoved - bytesMovedBefore;
        bytesMovedBefore = bytesMoved;
        boolean atWork = asked && sending == null;
        if (atWork || moved >= (decoder.holdsBudget() ? PROGRESS_BYTES : 1)) {
            idleChecks = 0;
        } else if (++idleChecks > checksMax) {
            LOG.debug("closed {}: nothing moves", context().channel().remoteAddress());
            if (sending == null) {
                closeAfterAll();
            } else {
                SocketEnds.drop(context().channel());
            }
        }
    }

    @Override
    public UnreadReplies unread() {
        return unread;
    }

    @Override
    public void disconnect() {
        discard();
        SocketEnds.drop(context().channel());
    }

    @Override
    public String toString() {
        return String.valueOf(context().channel().remoteAddress());
    }

    @Override
    public void finish() {
        if (!asked) {
            context().close();
        }
    }

    private ChannelHandlerContext context() {
        if (context == null) {
            throw new IllegalStateException("not connected");
        }
        return context;
    }
}
