package io.dshm.server.security;

import io.dshm.proto.Limits;
import io.dshm.server.network.CertifiedNode;
import io.dshm.server.network.Encryption;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.network.SocketEnds;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.security.cert.X509Certificate;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts what a port accepts. Nothing that comes before the handshake is over reaches another handler. Handshakes are
 * bounded in time, and in number: with more than {@link Limits#TLS_HANDSHAKES_MAX} under way, the oldest one is given
 * up for a new one, so that those who never end theirs keep nobody out.
 *
 * <p>Where plain connections are taken as well, the first byte tells them apart: a handshake begins with 22, which is
 * neither a letter, as in a command or in HTTP, nor the first byte of a frame between nodes, which would be longer than
 * any may be.
 *
 * <p>Thread-safe.
 */
public final class TlsPort implements Encryption {

    private static final byte HANDSHAKE = 22;

    private final TlsContext context;
    private final boolean takesPlain;
    private final RefusalLog refusals;
    private final int handshakesMax;

    /** Those whose handshakes are under way, oldest first; under its lock. */
    private final Set<Channel> shaking = new LinkedHashSet<>();

    /**
     * For one port.
     *
     * @param takesPlain whether it takes plain connections, too
     * @param refusals is told of connections that do not come about
     */
    public TlsPort(TlsContext context, boolean takesPlain, RefusalLog refusals) {
        this(context, takesPlain, refusals, Limits.TLS_HANDSHAKES_MAX);
    }

    TlsPort(TlsContext context, boolean takesPlain, RefusalLog refusals, int handshakesMax) {
        this.context = context;
        this.takesPlain = takesPlain;
        this.refusals = refusals;
        this.handshakesMax = handshakesMax;
    }

    @Override
    public void begin(Channel accepted) {
        if (takesPlain) {
            accepted.pipeline().addLast(new FirstByte());
        } else {
            accepted.pipeline().addLast(began(accepted), new TlsTurns(), new Handshake());
        }
    }

    private SslHandler began(Channel accepted) {
        Channel oldest = null;
        synchronized (shaking) {
            shaking.add(accepted);
            if (shaking.size() > handshakesMax) {
                Iterator<Channel> all = shaking.iterator();
                oldest = all.next();
                all.remove();
            }
        }
        if (oldest != null) {
            refusals.refused(oldest.remoteAddress(), "others need the room that its unfinished handshake takes");
            end(oldest);
        }
        accepted.closeFuture().addListener(closed -> ended(accepted));
        return context.accepting(accepted.alloc());
    }

    /** Without a last word of TLS, which would wait for the step that is being computed. */
    private static void end(Channel channel) {
        channel.eventLoop().execute(() -> SocketEnds.drop(channel));
    }

    private void ended(Channel channel) {
        synchronized (shaking) {
            shaking.remove(channel);
        }
    }

    /** How many handshakes are under way. */
    int shaking() {
        synchronized (shaking) {
            return shaking.size();
        }
    }

    /** Waits for the first byte, then makes way. */
    private final class FirstByte extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            if (!bytes.isReadable()) {
                ctx.fireChannelRead(message);
                return;
            }
            if (bytes.getByte(bytes.readerIndex()) == HANDSHAKE) {
                String before = ctx.name();
                ctx.pipeline().addAfter(before, "handshake", new Handshake());
                ctx.pipeline().addAfter(before, "turns", new TlsTurns());
                ctx.pipeline().addAfter(before, "tls", began(ctx.channel()));
            }
            ctx.fireChannelRead(message);
            if (!ctx.isRemoved()) {
                ctx.pipeline().remove(this);
            }
        }
    }

    /** Follows a handshake, and what TLS says later. Comes behind its handler. */
    private final class Handshake extends ChannelInboundHandlerAdapter {

        private boolean done;
        private boolean refused;

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                SSLEngine engine = ctx.pipeline().get(SslHandler.class).engine();
                @Nullable Throwable failure = TlsFailures.of(handshake, engine);
                if (failure == null) {
                    done = true;
                    ended(ctx.channel());
                    certify(ctx.channel(), engine);
                } else {
                    refuse(ctx, failure);
                }
            } else if (event instanceof SslCloseCompletionEvent end) {
                if (end.isSuccess()) {
                    inputEnded(ctx);
                }
            } else {
                super.userEventTriggered(ctx, event);
            }
        }

        /** The other side has said that it sends nothing more: the same as the end of a plain connection's input. */
        private void inputEnded(ChannelHandlerContext ctx) {
            if (Boolean.TRUE.equals(ctx.channel().config().getOption(ChannelOption.ALLOW_HALF_CLOSURE))) {
                ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            } else {
                ctx.close();
            }
        }

        private void certify(Channel channel, SSLEngine engine) throws SSLException {
            MemberCertificates members = context.members();
            if (members != null) {
                X509Certificate shown = (X509Certificate) engine.getSession().getPeerCertificates()[0];
                CertifiedNode.set(channel, node -> members.isFor(shown, node));
            }
        }

        private void refuse(ChannelHandlerContext ctx, Throwable cause) {
            if (!refused) {
                refused = true;
                @Nullable String why = TlsFailures.reason(cause);
                if (why != null) {
                    refusals.refused(ctx.channel().remoteAddress(), why);
                }
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            boolean isTls = cause instanceof SSLException
                    || (cause instanceof DecoderException && cause.getCause() instanceof SSLException);
            if (isTls || !done) {
                refuse(ctx, cause);
            } else {
                ctx.fireExceptionCaught(cause);
            }
        }
    }
}
