package io.dshm.server.security;

import io.dshm.server.network.DialedEncryption;
import io.dshm.server.network.RefusalLog;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts the connections that this node makes to members, and requires the certificate of the member that it dials.
 *
 * <p>While the cluster changes over ({@code plainToo}), other nodes may take plain connections only, or TLS only: a
 * node that ends a connection without an answer is dialed in the other way the next time. A certificate that is not
 * believed is no reason for that.
 *
 * <p>Thread-safe.
 */
public final class TlsDialing implements DialedEncryption {

    private final TlsContext context;
    private final boolean plainToo;
    private final RefusalLog refusals;

    /** Members that have not taken TLS when they were dialed last. */
    private final Set<String> plain = ConcurrentHashMap.newKeySet();

    /**
     * Of a node that has dialed nobody.
     *
     * @param plainToo whether members are dialed without TLS that do not take it
     * @param refusals is told of handshakes that fail
     */
    public TlsDialing(TlsContext context, boolean plainToo, RefusalLog refusals) {
        this.context = context;
        this.plainToo = plainToo;
        this.refusals = refusals;
    }

    @Override
    public void begin(Channel dialed, String node) {
        if (plainToo && plain.contains(node)) {
            dialed.pipeline().addLast(new PlainWay(node));
        } else {
            dialed.pipeline().addLast(context.dialing(dialed.alloc(), node), new TlsTurns(), new TlsWay(node));
        }
    }

    /** Notices a node that takes no plain connection any more. */
    private final class PlainWay extends ChannelInboundHandlerAdapter {

        private final String node;

        PlainWay(String node) {
            this.node = node;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.fireChannelRead(message);
            if (!ctx.isRemoved()) {
                ctx.pipeline().remove(this);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            plain.remove(node);
            ctx.fireChannelInactive();
        }
    }

    /**
     * Follows a handshake. Comes behind its handler. For those behind it the connection is active once the
     * handshake has succeeded: only then they greet, and how long they wait for an answer does not depend on the
     * handshake, which has a limit of its own.
     */
    private final class TlsWay extends ChannelDuplexHandler {

        private final String node;
        private boolean told;
        private boolean closedHere;

        TlsWay(String node) {
            this.node = node;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            // Told when the handshake is over.
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                @Nullable
                Throwable failure = TlsFailures.of(
                        handshake, ctx.pipeline().get(SslHandler.class).engine());
                if (failure == null) {
                    ctx.fireChannelActive();
                } else {
                    failed(ctx, failure);
                }
            } else if (event instanceof SslCloseCompletionEvent) {
                ctx.close();
            } else {
                super.userEventTriggered(ctx, event);
            }
        }

        @Override
        public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
            closedHere = true;
            ctx.close(promise);
        }

        private void failed(ChannelHandlerContext ctx, Throwable cause) {
            boolean takesNoTls = TlsFailures.isGone(cause) || cause instanceof NotSslRecordException;
            // An end made here, because nobody waits any more, says nothing of the other node.
            if (!closedHere && plainToo && takesNoTls) {
                plain.add(node);
            } else if (!closedHere) {
                tell(ctx, takesNoTls ? "it does not take TLS" : TlsFailures.reason(cause));
            }
            ctx.close();
        }

        private void tell(ChannelHandlerContext ctx, @Nullable String why) {
            if (!told && why != null) {
                told = true;
                refusals.refused(node + " (" + ctx.channel().remoteAddress() + ")", why);
            }
        }

        /**
         * Also what the other node says after it has seen this one's certificate, which is when the handshake is over
         * here.
         */
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (!plainToo || !TlsFailures.isGone(cause)) {
                tell(ctx, TlsFailures.reason(cause));
            }
            ctx.fireExceptionCaught(cause);
        }
    }
}
