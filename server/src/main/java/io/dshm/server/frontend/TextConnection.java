package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.dshm.proto.text.ReplyEncoder;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection. Confined to its event loop.
 *
 * <p>How it works: bytes are decoded as long as the connection is {@link #ready()}. Writes are outstanding, in the order
 * of their requests, until their replies are known, and so are linearizable reads; but never both at once. Everything
 * else is a barrier: it waits until nothing is outstanding, and what comes after it is not even decoded before it is
 * done. A large write is one, too, because it takes another way to the log, where it could overtake a small one. So there
 * is one queue, of writes or of reads, and all that a client can make this node hold is a bounded number of those, one
 * decoded request, and what the socket's buffers take.
 */
final class TextConnection extends ChannelInboundHandlerAdapter implements ClientConnection {

    private static final Logger LOG = LoggerFactory.getLogger(TextConnection.class);

    /** Values from this length on are copied to the socket piece by piece. */
    private static final int LARGE_REPLY_BYTES = 128 * 1024;

    /** Replies that wait for more replies before they are sent: beyond, what the client does not read would grow unseen. */
    private static final int REPLIES_BYTES_MAX = 64 * 1024;

    /** Bytes between two checks that a request in progress must bring. */
    private static final int PROGRESS_BYTES = 1024;

    /** How long a client may take to notice that the connection has ended. */
    private static final long LINGER_MILLIS = 1_000;

    private static final Reply.Failure TOO_MANY_IDENTITIES =
            new Reply.Failure(ErrorCode.BUSY, "too many clients of this address have an identity of their own");

    private final Lane lane;
    private final LocalReads reads;
    private final RequestDecoder decoder;
    private final MemoryBudget budget;
    private final ClientIdentities identities;
    private final ConnectionSet connections;

    private final ArrayDeque<Outstanding> outstanding = new ArrayDeque<>();

    /** Whether what is {@link #outstanding} are reads. */
    private boolean outstandingReads;

    /** Bytes of the values in {@link #outstanding}. */
    private int outstandingBytes;

    /** Of reads that do not name one. */
    private ReadMode readMode;

    private @Nullable ChannelHandlerContext context;
    private ClientIdentities.@Nullable OfConnection ownIdentities;
    private ByteBuf received = Unpooled.EMPTY_BUFFER;
    private @Nullable ByteBuf replies;

    /** A request that waits until nothing is outstanding. */
    private @Nullable Request barrier;

    /** A large write is on its way: what follows it waits. */
    private boolean largeWrite;

    /** What has to be over before anything else is decoded: a read that waits for this node's store, large replies. */
    private int suspensions;

    private boolean closing;
    private boolean processing;
    private boolean flushScheduled;
    private int idleChecks;
    private long bytesSinceCheck;

    TextConnection(
            Lane lane,
            RequestDecoder decoder,
            MemoryBudget budget,
            ReadMode readMode,
            ClientIdentities identities,
            ConnectionSet connections) {
        this.lane = lane;
        this.reads = lane.reads();
        this.decoder = decoder;
        this.budget = budget;
        this.readMode = readMode;
        this.identities = identities;
        this.connections = connections;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        context = active;
        boolean isInternet = active.channel().remoteAddress() instanceof InetSocketAddress;
        ownIdentities = identities
        .new OfConnection(isInternet ? ((InetSocketAddress) active.channel().remoteAddress()).getAddress() : null);
        connections.add(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        closing = true;
        connections.remove(this);
        decoder.close();
        if (barrier instanceof Command.Write write) {
            budget.release(RequestDecoder.budgetOf(dataBytes(write)));
        }
        barrier = null;
        received.release();
        received = Unpooled.EMPTY_BUFFER;
        if (replies != null) {
            replies.release();
            replies = null;
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext reading, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (closing) {
            bytes.release();
            return;
        }
        bytesSinceCheck += bytes.readableBytes();
        received = received.isReadable()
                ? ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(reading.alloc(), received, bytes)
                : replaceReceived(bytes);
        process();
    }

    private ByteBuf replaceReceived(ByteBuf bytes) {
        received.release();
        return bytes;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext reading) {
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext changed) {
        answerCompleted();
        flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext failed, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("connection of {} lost: {}", failed.channel().remoteAddress(), cause.toString());
        } else {
            LOG.error("connection of {} closed", failed.channel().remoteAddress(), cause);
        }
        failed.close();
    }

    /** Whether the next request may be decoded. */
    private boolean ready() {
        return !closing
                && barrier == null
                && !largeWrite
                && suspensions == 0
                && outstanding.size() < Limits.CONNECTION_WRITES_OUTSTANDING_MAX
                && outstandingBytes < Limits.CONNECTION_BYTES_OUTSTANDING_MAX
                && context().channel().isWritable();
    }

    /** Decodes and handles what is there; afterwards, the socket is read on if and only if more may be decoded. */
    private void process() {
        if (processing) {
            // Within handle, a flush has changed whether the client reads: the loop around it sees that.
            return;
        }
        processing = true;
        boolean starved = false;
        try {
            while (!starved && ready()) {
                Request request = decoder.decode(received);
                if (request == null) {
                    starved = true;
                } else {
                    idleChecks = 0;
                    handle(request);
                }
            }
        } finally {
            processing = false;
        }
        if (!received.isReadable()) {
            received.release();
            received = Unpooled.EMPTY_BUFFER;
        }
        if (!closing) {
            context().channel().config().setAutoRead(starved || ready());
        }
    }

    private void handle(Request request) {
        boolean read = request instanceof Command.Read one
                && !(request instanceof Command.RegionRead)
                && modeOf(one) == ReadMode.LINEARIZABLE;
        boolean write = request instanceof Command.Write;
        boolean joins = outstandingReads ? read : write && !isLarge((Command) request);
        if (!outstanding.isEmpty() && !joins) {
            barrier = request;
        } else if (read || write) {
            outstandingReads = read;
            submit((Command) request);
        } else {
            handleAlone(request);
        }
    }

    private ReadMode modeOf(Command.Read read) {
        ReadMode mode = read.mode();
        return mode == null ? readMode : mode;
    }

    private static int dataBytes(Command command) {
        return command instanceof Command.Write write ? write.dataBytes() : 0;
    }

    private static boolean isLarge(Command command) {
        return dataBytes(command) > Limits.INLINE_VALUE_BYTES_MAX;
    }

    private void submit(Command command) {
        Outstanding waiting = new Outstanding(command);
        outstanding.add(waiting);
        outstandingBytes += waiting.dataBytes;
        if (command instanceof Command.Read read) {
            lane.readLinearizable(read, waiting);
        } else if (command instanceof Command.Write write) {
            largeWrite = isLarge(write);
            submitWrite(write, waiting);
        }
    }

    private void submitWrite(Command.Write write, ReplyListener listener) {
        Command.Write admitted = ownIdentities == null ? write : ownIdentities.admit(write, reads.format());
        if (admitted == null) {
            listener.onReply(TOO_MANY_IDENTITIES);
        } else {
            lane.submit(admitted, listener);
        }
    }

    /** Handles a request that nothing is outstanding before. */
    private void handleAlone(Request request) {
        if (request instanceof Command.RegionRead read) {
            lane.regions().read(read, modeOf(read), replySuspended());
        } else if (request instanceof Command.Read read) {
            if (reads.isCurrent(read)) {
                reply(reads.read(read));
            } else {
                lane.awaitRead(read, replySuspended());
            }
        } else if (request instanceof Rejection rejection) {
            reply(rejection.failure());
            if (rejection.closes()) {
                close();
            }
        } else if (request instanceof Command command) {
            handleOther(command);
        }
    }

    private void handleOther(Command command) {
        if (command instanceof Command.FlushExpired flush) {
            lane.regions().flushExpired(flush, replySuspended());
        } else if (command instanceof Command.SetReadMode set) {
            readMode = set.mode();
            reply(Reply.Done.DONE);
        } else if (command == Command.Info.INFO) {
            reply(lane.info());
        } else {
            reply(Reply.Done.DONE);
            if (command == Command.Quit.QUIT) {
                close();
            }
        }
    }

    /** Lets nothing else be decoded until a reply is there. */
    private ReplyListener replySuspended() {
        suspensions++;
        return reply -> {
            reply(reply);
            resume();
        };
    }

    /** What is complete from the front of the queue on is answered, if the client reads; a barrier may be due then. */
    private void answerCompleted() {
        if (!context().channel().isActive()) {
            return;
        }
        for (Outstanding first = outstanding.peek(); first != null; first = outstanding.peek()) {
            Reply reply = first.reply;
            if (reply == null || !context().channel().isWritable()) {
                break;
            }
            outstanding.remove();
            outstandingBytes -= first.dataBytes;
            reply(reply);
        }
        if (outstanding.isEmpty()) {
            largeWrite = false;
            Request waiting = barrier;
            if (waiting != null) {
                barrier = null;
                handle(waiting);
            }
        }
        process();
        flushSoon();
    }

    private void reply(Reply reply) {
        if (closing) {
            return;
        }
        if (replies == null) {
            replies = context().alloc().ioBuffer(256);
        }
        if (reply instanceof Reply.Value value && value.bytes().length >= LARGE_REPLY_BYTES) {
            ReplyEncoder.encodeHead(value.bytes().length, replies);
            writeLarge(value.bytes());
        } else if (reply instanceof Reply.Detailed detailed
                && detailed.value() != null
                && detailed.value().length >= LARGE_REPLY_BYTES) {
            ReplyEncoder.encodeHead(detailed.value().length, detailed.details(), replies);
            writeLarge(detailed.value());
        } else {
            ReplyEncoder.encode(reply, replies);
            if (replies.readableBytes() >= REPLIES_BYTES_MAX) {
                flush();
            }
        }
    }

    private void writeLarge(byte[] value) {
        writeReplies();
        ByteBuf tail = context().alloc().ioBuffer(16);
        ReplyEncoder.encodeTail(tail);
        context().write(new LargeReply(value));
        suspensions++;
        context().writeAndFlush(tail).addListener(done -> resume());
    }

    private void resume() {
        suspensions--;
        process();
        flushSoon();
    }

    private void writeReplies() {
        ByteBuf ready = replies;
        if (ready != null) {
            replies = null;
            context().write(ready);
        }
    }

    /** One flush for all that is replied in this round of the event loop. */
    private void flushSoon() {
        if (replies != null && !flushScheduled) {
            flushScheduled = true;
            context().executor().execute(() -> {
                flushScheduled = false;
                flush();
            });
        }
    }

    private void flush() {
        if (replies != null) {
            writeReplies();
            context().flush();
        }
    }

    /**
     * Sends what is replied so far, then ends the connection. What the client is still sending is read and thrown away
     * for a moment: to close on it would reset the connection, and the client might never see its last reply.
     */
    private void close() {
        closing = true;
        writeReplies();
        DuplexChannel channel = (DuplexChannel) context().channel();
        context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> channel.shutdownOutput());
        channel.config().setAutoRead(true);
        channel.eventLoop().schedule(() -> channel.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * Called every few seconds: a request that was begun and hardly moves for too many checks ends the connection. A byte
     * now and then is no progress: its sender could hold the memory of its request for ever.
     */
    @Override
    public void checkProgress(int checksMax) {
        boolean begun = decoder.midRequest() || received.isReadable();
        boolean progresses = bytesSinceCheck >= PROGRESS_BYTES;
        bytesSinceCheck = 0;
        if (!begun || progresses || !ready()) {
            idleChecks = 0;
        } else if (++idleChecks > checksMax) {
            LOG.debug(
                    "closed {}: it began a request and did not go on",
                    context().channel().remoteAddress());
            context().close();
        }
    }

    @Override
    public void finish() {
        if (outstanding.isEmpty() && suspensions == 0 && !closing) {
            close();
        } else {
            context().channel().config().setAutoRead(false);
        }
    }

    private ChannelHandlerContext context() {
        if (context == null) {
            throw new IllegalStateException("not connected");
        }
        return context;
    }

    /** A write or a linearizable read between its request and its reply. */
    private final class Outstanding implements ReplyListener {

        private final int dataBytes;
        private @Nullable Reply reply;

        Outstanding(Command command) {
            this.dataBytes = dataBytes(command);
        }

        @Override
        public void onReply(Reply known) {
            budget.release(RequestDecoder.budgetOf(dataBytes));
            reply = known;
            if (outstanding.peek() == this) {
                answerCompleted();
            }
        }
    }
}
