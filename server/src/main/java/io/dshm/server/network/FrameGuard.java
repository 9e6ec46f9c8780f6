package io.dshm.server.network;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Comes before the handler that collects the frames of a connection to another node. It reads their lengths as they
 * pass, and closes the connection when a frame is too long, before memory is allocated for it, or when one is not
 * complete in time. It passes all bytes on unchanged.
 *
 * <p>Confined to the connection's event loop, but for {@link #evict}.
 */
public final class FrameGuard extends ChannelInboundHandlerAdapter {

    /** Bytes of a frame from which on it counts while it is incomplete; what is smaller is bounded by its number. */
    private static final int LARGE_BYTES = 64 * 1024;

    /**
     * The number of steps in which the time of a frame is measured: a node that was paused itself counts one step only.
     */
    private static final int CHECKS = 5;

    /**
     * What a frame may be.
     *
     * @param firstBytesMax the length of a connection's first one, with its header
     * @param bytesMax that of the others
     * @param millisMax how long it may be under way; it may be a fifth more
     */
    public record Bounds(int firstBytesMax, int bytesMax, int millisMax) {

        /** The first frame may be as long as any. */
        public Bounds(int bytesMax, int millisMax) {
            this(bytesMax, bytesMax, millisMax);
        }
    }

    private final FrameFormat format;
    private final Bounds bounds;
    private final @Nullable PeerPort port;

    private final byte[] header;
    private int headerReceived;
    private long bodyMissing;
    private int bodyBytes;
    private boolean counted;
    private long framesEnded;

    private long framesAtCheck;
    private int checksWithout;
    private boolean closed;

    private @Nullable Future<?> checking;
    private volatile @Nullable ChannelHandlerContext context;

    /**
     * A guard for one connection.
     *
     * @param port which has accepted the connection, and counts it; null for a connection of this node's own
     */
    FrameGuard(FrameFormat format, Bounds bounds, @Nullable PeerPort port) {
        this.format = format;
        this.bounds = bounds;
        this.port = port;
        this.header = new byte[format.headerBytesMax()];
    }

    /** A guard for one connection that this node makes: for the answers. */
    public static FrameGuard forAnswers(FrameFormat format, Bounds bounds) {
        return new FrameGuard(format, bounds, null);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        if (port != null) {
            String refusal = port.opened(this, added.channel().remoteAddress());
            if (refusal != null) {
                closed = true;
                port.refused(added.channel().remoteAddress(), refusal);
                // Later: the other handlers are still being added.
                added.executor().execute(added.channel()::close);
                return;
            }
        }
        long step = Math.max(1, bounds.millisMax() / CHECKS);
        checking = added.executor().scheduleWithFixedDelay(this::check, step, step, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext removed) {
        if (checking != null) {
            checking.cancel(false);
        }
        if (port != null) {
            port.closed(this);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!closed && message instanceof ByteBuf bytes) {
            try {
                follow(bytes);
            } catch (IllegalArgumentException e) {
                close(String.valueOf(e.getMessage()));
            }
        }
        if (closed) {
            ReferenceCountUtil.release(message);
        } else {
            ctx.fireChannelRead(message);
        }
    }

    private void follow(ByteBuf bytes) {
        int at = bytes.readerIndex();
        int end = bytes.writerIndex();
        while (at < end) {
            if (bodyMissing > 0) {
                int here = (int) Math.min(bodyMissing, end - at);
                at += here;
                bodyMissing -= here;
            } else {
                header[headerReceived] = bytes.getByte(at);
                at++;
                headerReceived++;
                if (format.headerBytes(header, headerReceived) > headerReceived) {
                    continue;
                }
                bodyMissing = checkedBody(format.bodyBytes(header));
                bodyBytes = (int) bodyMissing;
                headerReceived = 0;
            }
            if (bodyMissing == 0) {
                frameEnded();
            }
        }
        if (bodyMissing > 0 && bodyBytes >= LARGE_BYTES && !counted && port != null) {
            counted = true;
            port.began(this, bodyBytes);
        }
    }

    private long checkedBody(long length) {
        int bytesMax = framesEnded == 0 ? bounds.firstBytesMax() : bounds.bytesMax();
        if (length < 0 || length > bytesMax - headerReceived) {
            throw new IllegalArgumentException("a frame of " + length + " bytes, " + bytesMax + " are allowed");
        }
        return length;
    }

    private void frameEnded() {
        if (port != null && (counted || framesEnded == 0)) {
            counted = false;
            port.ended(this);
        }
        framesEnded++;
    }

    /** A node that connects here must send something: from then on its first frame counts as begun. */
    private boolean isUnfinished() {
        return headerReceived > 0 || bodyMissing > 0 || (port != null && framesEnded == 0);
    }

    private void check() {
        if (isUnfinished() && framesEnded == framesAtCheck) {
            checksWithout++;
            if (checksWithout >= CHECKS) {
                close("a frame that is not complete after " + bounds.millisMax() + " ms");
            }
        } else {
            framesAtCheck = framesEnded;
            checksWithout = 0;
        }
    }

    private void close(String why) {
        ChannelHandlerContext ctx = context;
        if (closed || ctx == null) {
            return;
        }
        closed = true;
        if (port != null) {
            port.refused(ctx.channel().remoteAddress(), why);
        }
        ctx.close();
    }

    /** Closes this connection in favour of others. On any thread. */
    void evict() {
        ChannelHandlerContext ctx = context;
        if (ctx != null) {
            ctx.executor().execute(() -> close("others need the room that its unfinished frame takes"));
        }
    }
}
