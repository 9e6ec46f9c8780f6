package io.dshm.server.replication.jraft.repairs;

import com.alipay.remoting.rpc.RpcCommand;
import com.alipay.remoting.rpc.RpcCommandType;
import com.alipay.remoting.rpc.protocol.RpcRequestCommand;
import com.alipay.remoting.rpc.protocol.RpcResponseCommand;
import io.dshm.proto.Limits;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bounds the requests that wait in this node: Bolt and SOFAJRaft put complete requests into queues without bounds. A connection
 * is not read from while its unanswered requests, or those of all connections, are too many bytes; so the other side
 * waits by TCP. A connection without unanswered requests is always read from.
 *
 * <p>Sees requests and responses between Bolt's codec and its handler. Confined to the connection's event loop; {@link Total}
 * is shared.
 */
public final class UnansweredRequests extends ChannelDuplexHandler {

    private static final Logger LOG = LoggerFactory.getLogger(UnansweredRequests.class);

    /** What a request costs beside its bytes: objects, a place in a queue. */
    private static final int REQUEST_OVERHEAD_BYTES = 1024;

    /** Bolt drops a request without a response if its sender waits no longer. After this time none is expected any more. */
    private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(30);

    private static final long LOOK_MILLIS = 50;

    private final Total total;
    private final LongSupplier nanoTime;

    /** By the request's number, in the order in which they came. */
    private final Map<Integer, Request> requests = new LinkedHashMap<>();

    private long bytes;
    private @Nullable Future<?> looking;

    private record Request(long bytes, long nanos) {}

    /** What all connections of a port may hold together. Thread-safe. */
    public static final class Total {

        private final long bytesMax;
        private final AtomicLong bytes = new AtomicLong();

        /** @param bytesMax bytes of unanswered requests on all connections; a single one may have half of them */
        public Total(long bytesMax) {
            this.bytesMax = bytesMax;
        }

        /** For a node with that heap. */
        public static Total ofHeap(long heapBytes) {
            return new Total(Math.max(Limits.RAFT_UNANSWERED_BYTES_MIN, heapBytes / 8));
        }

        private boolean isExceeded(long ofConnection) {
            return ofConnection > bytesMax / 2 || (ofConnection > 0 && bytes.get() > bytesMax);
        }

        /** Of all unanswered requests. */
        long bytes() {
            return bytes.get();
        }
    }

    UnansweredRequests(Total total, LongSupplier nanoTime) {
        this.total = total;
        this.nanoTime = nanoTime;
    }

    /** A handler that comes before Bolt's own ones, and adds this one behind Bolt's codec when all are there. */
    public static ChannelHandler installer(Total total, LongSupplier nanoTime) {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                context.pipeline()
                        .addAfter("encoder", "unansweredRequests", new UnansweredRequests(total, nanoTime))
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
        update(context);
        context.fireChannelRead(message);
    }

    /** Counts a request. False for what members do not send: a request without a response, or a number that is in use. */
    private boolean take(@Nullable Object message) {
        if (!(message instanceof RpcRequestCommand request)) {
            return true;
        }
        if (request.getType() == RpcCommandType.REQUEST_ONEWAY || requests.containsKey(request.getId())) {
            return false;
        }
        long size = REQUEST_OVERHEAD_BYTES + (long) lengthOf(request);
        requests.put(request.getId(), new Request(size, nanoTime.getAsLong()));
        count(size);
        return true;
    }

    private static int lengthOf(RpcCommand request) {
        return request.getClazzLength() + request.getHeaderLength() + request.getContentLength();
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof RpcResponseCommand response) {
            Request answered = requests.remove(response.getId());
            if (answered != null) {
                count(-answered.bytes);
                update(context);
            }
        }
        context.write(message, promise);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        requests.clear();
        count(-bytes);
        if (looking != null) {
            looking.cancel(false);
        }
    }

    private void count(long more) {
        bytes += more;
        total.bytes.addAndGet(more);
    }

    /** Reads from the connection if and only if there is room; looks again in a moment if there is not. */
    private void update(ChannelHandlerContext context) {
        boolean exceeded = total.isExceeded(bytes);
        if (context.channel().config().isAutoRead() == exceeded) {
            context.channel().config().setAutoRead(!exceeded);
        }
        if (exceeded && looking == null) {
            looking = context.executor().schedule(() -> lookAgain(context), LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void lookAgain(ChannelHandlerContext context) {
        looking = null;
        long now = nanoTime.getAsLong();
        Iterator<Request> oldest = requests.values().iterator();
        while (oldest.hasNext()) {
            Request request = oldest.next();
            if (now - request.nanos < ANSWER_NANOS_MAX) {
                break;
            }
            oldest.remove();
            count(-request.bytes);
        }
        update(context);
    }
}
