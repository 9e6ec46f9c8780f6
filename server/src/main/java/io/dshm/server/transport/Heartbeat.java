package io.dshm.server.transport;

import io.dshm.proto.Limits;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says at regular times that this node is there, and closes the connection when the other node has been silent for
 * {@link Limits#PEER_SILENT_HEARTBEATS_MAX} of them. TCP alone notices a machine without power or a stopped process
 * only when it has something to send, or never.
 *
 * <p>Beats are counted, not milliseconds: a node that was paused itself counts one, and then reads what has come
 * meanwhile. While this node reads nothing, because it has too much to do, it counts none.
 *
 * <p>With messages, the side that connects sends requests for the status, which nodes of all versions answer. The other
 * side has nothing to answer while it does not read; then it sends its beats unasked. With calls, both sides always
 * send them.
 *
 * <p>One for each connection, the first handler of its pipeline; confined to its event loop.
 */
public final class Heartbeat extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

    private final int millis;
    private final Object beat;
    private final boolean always;

    private boolean heard;
    private int silent;
    private @Nullable Future<?> beating;

    private Heartbeat(int millis, Object beat, boolean always) {
        this.millis = millis;
        this.beat = beat;
        this.always = always;
    }

    /** Sends that message every {@link Limits#PEER_HEARTBEAT_MILLIS}. */
    public static Heartbeat always(Object beat) {
        return new Heartbeat(Limits.PEER_HEARTBEAT_MILLIS, beat, true);
    }

    /** For the side that accepts: sends that message every so many milliseconds, if it does not read. */
    static Heartbeat whileNotReading(int millis, Object beat) {
        return new Heartbeat(millis, beat, false);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        beating = context.executor()
                .scheduleWithFixedDelay(() -> beat(context.channel()), millis, millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (beating != null) {
            beating.cancel(false);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        heard = true;
        context.fireChannelRead(message);
    }

    private void beat(Channel channel) {
        boolean reads = channel.config().isAutoRead();
        silent = heard || !reads ? 0 : silent + 1;
        heard = false;
        if (silent >= Limits.PEER_SILENT_HEARTBEATS_MAX) {
            LOG.info(
                    "connection with {} closed: it has been silent for {} ms",
                    channel.remoteAddress(),
                    (long) silent * millis);
            channel.close();
        } else if ((always || !reads) && channel.isWritable()) {
            // If it is not writable, there is enough on its way for the other node to hear.
            channel.writeAndFlush(beat);
        }
    }
}
