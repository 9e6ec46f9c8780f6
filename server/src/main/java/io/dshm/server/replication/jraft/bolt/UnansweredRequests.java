package io.dshm.server.replication.jraft.bolt;

import com.alipay.remoting.rpc.RpcCommand;
import com.alipay.remoting.rpc.RpcCommandType;
import com.alipay.remoting.rpc.protocol.RpcRequestCommand;
import com.alipay.remoting.rpc.protocol.RpcResponseCommand;
import io.dshm.server.transport.UnansweredCalls;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the requests that wait in this node; see {@link UnansweredCalls}. Sees requests and responses between Bolt's
 * codec and its handler. Confined to the connection's event loop.
 */
public final class UnansweredRequests extends ChannelDuplexHandler {

    private static final Logger LOG = LoggerFactory.getLogger(UnansweredRequests.class);

    private final UnansweredCalls unanswered;

    UnansweredRequests(UnansweredCalls unanswered) {
        this.unanswered = unanswered;
    }

    /** A handler that comes before Bolt's own ones, and adds this one behind Bolt's codec when all are there. */
    public static ChannelHandler installer(UnansweredCalls.Total total, LongSupplier nanoTime) {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                UnansweredCalls unanswered = new UnansweredCalls(context.channel(), total, nanoTime);
                context.pipeline()
                        .addAfter("encoder", "unansweredRequests", new UnansweredRequests(unanswered))
                        .remove(this);
                context.fireChannelActive();
            }
        };
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        boolean allowed = message instanceof List<?> several ? several.stream().allMatch(this::take) : take(message);
        if (!allowed) {
            LOG.warn(
                    "closed {}: its requests are not those of a member",
                    context.channel().remoteAddress());
            context.close();
            return;
        }
        context.fireChannelRead(message);
    }

    /**
     * Counts a request. False for what members do not send: a request without a response, or a number that is in use.
     */
    private boolean take(@Nullable Object message) {
        if (!(message instanceof RpcRequestCommand request)) {
            return true;
        }
        return request.getType() != RpcCommandType.REQUEST_ONEWAY
                && unanswered.took(request.getId(), lengthOf(request));
    }

    private static int lengthOf(RpcCommand request) {
        return request.getClazzLength() + request.getHeaderLength() + request.getContentLength();
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof RpcResponseCommand response) {
            unanswered.answered(response.getId());
        }
        context.write(message, promise);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        unanswered.end();
    }
}
