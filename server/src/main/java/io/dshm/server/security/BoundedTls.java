package io.dshm.server.security;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * TLS of one connection, with bounds on what the other side can make it keep. Netty's handler alone takes records of
 * 64 KiB, keeps their beginnings in buffers of twice that size, and reads on without an end while a step of a handshake
 * is computed.
 *
 * <ul>
 *   <li>A record longer than TLS allows ends the connection before anything is allocated for it.
 *   <li>The beginning of a record is kept in a buffer of the size of that record.
 *   <li>While a step of a handshake is computed, little more than {@link Limits#TLS_HANDSHAKE_BYTES_MAX} bytes are
 *       read; the rest later.
 *   <li>What is kept counts in a {@link TlsRoom}, which may end the connection in favour of others.
 *   <li>Of a connection that has ended no step of a handshake is computed any more.
 *   <li>A second handshake on the same connection, which TLS 1.2 knows, ends it: each costs as much as a first one.
 *   <li>What TLS 1.3 answers by itself, to updates of keys, is little more than a channel's high-water mark, if the
 *       connection does not read by itself while it cannot be written to.
 * </ul>
 *
 * <p>Not counted: what the JDK's engine keeps, of an unfinished message of a handshake among it, 32 KiB at most.
 *
 * <p>Confined to the connection's event loop.
 */
final class BoundedTls extends SslHandler {

    /** Type, version and length of a record. */
    private static final int HEADER_BYTES = 5;

    private static final int VERSION_AT = 1;
    private static final int LENGTH_AT = 3;

    private static final int TYPE_MIN = 20;
    private static final int TYPE_HANDSHAKE = 22;
    private static final int TYPE_MAX = 24;
    private static final int MAJOR_VERSION = 3;

    private final HandshakeSteps steps;
    private final TlsRoom room;

    /** The beginning of a record. */
    private ByteBuf begun = Unpooled.EMPTY_BUFFER;

    /** What counts in the room. */
    private int counted;

    /** Whether a record was decoded since it was counted. */
    private boolean hasGoneOn;

    /** Whether too much waits for a step of a handshake, so that nothing more is read. */
    private boolean paused;

    /** Whether the connection read by itself before that. */
    private boolean readBefore;

    /** Whether nothing is read until the other side has read. */
    private boolean readsLater;

    /** Whether somebody has asked for a read since. */
    private boolean readWanted;

    private boolean ended;

    private @Nullable ChannelHandlerContext context;

    /**
     * For one connection.
     *
     * @param handshakes runs the slow steps of handshakes
     * @param room where the connection counts: that of its event loop
     */
    BoundedTls(SSLEngine engine, Executor handshakes, TlsRoom room) {
        this(engine, new HandshakeSteps(handshakes), room);
    }

    private BoundedTls(SSLEngine engine, HandshakeSteps steps, TlsRoom room) {
        super(engine, steps);
        this.steps = steps;
        this.room = room;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) throws Exception {
        context = added;
        super.handlerAdded(added);
    }

    @Override
    public void handlerRemoved0(ChannelHandlerContext removed) throws Exception {
        drop();
        super.handlerRemoved0(removed);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        drop();
        super.channelInactive(ctx);
    }

    /**
     * A client that has sent its end, and not all of its handshake before it, is gone: nothing can come of the
     * connection. Netty's handler would go on for as long as the connection can be written to.
     */
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        // Whole records that wait for a step may be the rest of the handshake, and requests.
        boolean mayGoOn = handshakeFuture().isDone() || actualReadableBytes() > 0;
        if (event == ChannelInputShutdownEvent.INSTANCE && !mayGoOn) {
            ctx.close();
        } else {
            super.userEventTriggered(ctx, event);
        }
    }

    /** Takes no more input, and lets go of the beginning of a record and of the step that waits. */
    private void drop() {
        ended = true;
        steps.drop();
        begun.release();
        begun = Unpooled.EMPTY_BUFFER;
        count(0);
    }

    /** Netty's handler calls this, too, with nothing, when a step of a handshake has been computed. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        ByteBuf bytes = (ByteBuf) message;
        if (!bytes.isReadable()) {
            resume(ctx);
            super.channelRead(ctx, bytes);
            settle(ctx);
            return;
        }
        boolean handedOn = false;
        try {
            while (!ended && begun.isReadable() && bytes.isReadable()) {
                goOn(ctx, bytes);
            }
            if (!ended && bytes.isReadable()) {
                keepBeginning(ctx, bytes);
                if (bytes.isReadable()) {
                    handedOn = true;
                    handOn(ctx, bytes);
                }
            }
        } finally {
            if (!handedOn) {
                bytes.release();
            }
        }
    }

    /** Adds to the record that has begun, and hands it on if it is whole. */
    private void goOn(ChannelHandlerContext ctx, ByteBuf bytes) throws Exception {
        begun.writeBytes(bytes, Math.min(begun.writableBytes(), bytes.readableBytes()));
        if (begun.isWritable()) {
            return;
        }
        int length = recordBytes(begun, begun.readerIndex());
        if (length > begun.capacity()) {
            // Only the header was known.
            begun.capacity(length);
            return;
        }
        ByteBuf whole = begun;
        begun = Unpooled.EMPTY_BUFFER;
        handOn(ctx, whole);
    }

    /** Takes the beginning of a record off the end of what has arrived, and leaves the whole records before it. */
    private void keepBeginning(ChannelHandlerContext ctx, ByteBuf bytes) throws SSLException {
        int arrived = bytes.readableBytes();
        int whole = 0;
        int wanted = HEADER_BYTES;
        while (!ended && arrived - whole >= HEADER_BYTES) {
            int length = recordBytes(bytes, bytes.readerIndex() + whole);
            if (length > arrived - whole) {
                wanted = length;
                break;
            }
            whole += length;
        }
        int end = bytes.readerIndex() + whole;
        if (!ended && whole < arrived) {
            begun = ctx.alloc().ioBuffer(wanted).writeBytes(bytes, end, arrived - whole);
        }
        bytes.writerIndex(end);
    }

    /**
     * The length of a record with its header. What is no record ends the input: its first bytes are taken for a record,
     * and Netty's handler says that they are none.
     */
    private int recordBytes(ByteBuf bytes, int at) throws SSLException {
        byte type = bytes.getByte(at);
        if (type < TYPE_MIN || type > TYPE_MAX || bytes.getByte(at + VERSION_AT) != MAJOR_VERSION) {
            ended = true;
            return HEADER_BYTES;
        }
        int length = HEADER_BYTES + bytes.getUnsignedShort(at + LENGTH_AT);
        if (length > Limits.TLS_RECORD_BYTES_MAX) {
            ended = true;
            throw new SSLException("a record of " + length + " bytes, " + Limits.TLS_RECORD_BYTES_MAX + " are allowed");
        }
        return length;
    }

    private void handOn(ChannelHandlerContext ctx, ByteBuf records) throws Exception {
        boolean isLast = ended;
        try {
            super.channelRead(ctx, records);
        } catch (DecoderException e) {
            end(ctx);
            throw e;
        }
        if (actualReadableBytes() == 0) {
            hasGoneOn = true;
        }
        if (isLast) {
            // It looks like SSL of the time before TLS.
            throw new NotSslRecordException();
        }
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws SSLException {
        // With TLS 1.3, what follows a handshake looks like data.
        if (in.getByte(in.readerIndex()) == TYPE_HANDSHAKE && handshakeFuture().isSuccess()) {
            ended = true;
            in.skipBytes(in.readableBytes());
            throw new SSLException("it begins a second handshake");
        }
        super.decode(ctx, in, out);
    }

    /**
     * Netty's handler reads on at this point, whatever its connection is told, where its handshake or a record that is
     * no data needs it. Here it does not while paused, nor while the other side does not take what TLS has answered.
     */
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        settle(ctx);
        readsLater = !paused && !ctx.channel().isWritable();
        if (paused || readsLater) {
            ctx.flush();
            ctx.fireChannelReadComplete();
        } else {
            super.channelReadComplete(ctx);
            readOn(ctx);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) throws Exception {
        if (readsLater && ctx.channel().isWritable()) {
            readsLater = false;
            super.channelReadComplete(ctx);
            readOn(ctx);
        }
        super.channelWritabilityChanged(ctx);
    }

    /** For those that ask for each read. A step that has been computed is followed by a read all the same. */
    @Override
    public void read(ChannelHandlerContext ctx) throws Exception {
        if (paused || readsLater) {
            readWanted = true;
        } else {
            super.read(ctx);
        }
    }

    private void readOn(ChannelHandlerContext ctx) throws Exception {
        if (readWanted) {
            readWanted = false;
            super.read(ctx);
        }
    }

    /** Counts what is kept, and reads no more while it is much. */
    private void settle(ChannelHandlerContext ctx) {
        // Whole records, which wait for a step of a handshake.
        int waiting = actualReadableBytes() > 0 ? internalBuffer().capacity() : 0;
        if (waiting > Limits.TLS_HANDSHAKE_BYTES_MAX && !paused) {
            paused = true;
            readBefore = ctx.channel().config().isAutoRead();
            ctx.channel().config().setAutoRead(false);
        }
        count(begun.capacity() + waiting);
    }

    /** Before data is handed on: its receiver may want to pause, too. */
    private void resume(ChannelHandlerContext ctx) throws Exception {
        if (paused) {
            paused = false;
            ctx.channel().config().setAutoRead(readBefore);
            readOn(ctx);
        }
    }

    private void count(int now) {
        if (now != counted || (now > 0 && hasGoneOn)) {
            room.holds(this, now, hasGoneOn);
            counted = now;
        }
        hasGoneOn = false;
    }

    /** Ends this connection in favour of others. When this returns, nothing is kept. */
    void evict() {
        ChannelHandlerContext ctx = Objects.requireNonNull(context);
        counted = 0;
        try {
            end(ctx);
        } catch (Exception e) {
            ctx.fireExceptionCaught(e);
        }
        ctx.fireExceptionCaught(new SSLException("others need the room that its unfinished record takes"));
        // Now: a last message of TLS could wait for the other side.
        ctx.close();
    }

    /** Takes no more input, and lets go of all that is kept. */
    private void end(ChannelHandlerContext ctx) throws Exception {
        drop();
        internalBuffer().skipBytes(actualReadableBytes());
        // It lets go of its buffer when that is empty.
        super.channelRead(ctx, Unpooled.EMPTY_BUFFER);
    }
}
