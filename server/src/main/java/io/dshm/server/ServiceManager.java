package io.dshm.server;

import io.dshm.server.guard.Guard;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how the node is, as {@code sd_notify(3)} does: {@code READY=1} once it serves clients and has caught
 * up, {@code STATUS=} with what it waits for, {@code WATCHDOG=1} as long as nothing hangs, and {@code STOPPING=1}. A
 * node that no longer says that nothing hangs is killed and started again.
 *
 * <p>These are datagrams to a Unix socket. The JDK has none of that kind; Netty's epoll transport does, and is loaded
 * anyway. It has a thread of its own, because it has to notice when all others hang.
 */
final class ServiceManager implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);

    /** Between two looks at the node. */
    private static final long LOOK_MILLIS = 200;

    /** How often the watchdog is told within the time that it allows. */
    private static final int TELLS = 4;

    /** For a message that has to be sent before the process ends. */
    private static final long LAST_WORD_MILLIS = 1_000;

    private final long watchdogNanos;
    private final Supplier<List<String>> problems;
    private final Supplier<@Nullable String> hang;
    private final EventLoopGroup loop;
    private final Channel channel;

    // Confined to the loop's thread.
    private boolean ready;
    private boolean failed;
    private @Nullable String told;
    private long toldWatchdogNanos;

    /**
     * Tells the service manager that has started this process.
     *
     * @param environment of this process
     * @param problems as {@link io.dshm.server.admin.NodeInfo#problems}
     * @param hang as {@link io.dshm.server.admin.NodeInfo#hang}
     * @return null if no service manager wants to know
     * @throws IOException if one does, and cannot be told: it would wait
     */
    static @Nullable ServiceManager of(
            Map<String, String> environment, Supplier<List<String>> problems, Supplier<@Nullable String> hang)
            throws IOException, InterruptedException {
        String socket = environment.get("NOTIFY_SOCKET");
        if (socket == null || socket.isEmpty()) {
            return null;
        }
        if (!Epoll.isAvailable()) {
            throw new IOException("NOTIFY_SOCKET is set, but this Java has no sockets of that kind here ("
                    + Epoll.unavailabilityCause() + "); use Type=exec in the unit");
        }
        return new ServiceManager(socket, watchdogNanos(environment), problems, hang);
    }

    /** 0 without a watchdog, or if it is another process's. */
    private static long watchdogNanos(Map<String, String> environment) {
        String micros = environment.get("WATCHDOG_USEC");
        String process = environment.get("WATCHDOG_PID");
        boolean ours = process == null
                || process.equals(String.valueOf(ProcessHandle.current().pid()));
        return micros == null || !ours ? 0 : TimeUnit.MICROSECONDS.toNanos(Long.parseLong(micros)) / TELLS;
    }

    private ServiceManager(
            String socket, long watchdogNanos, Supplier<List<String>> problems, Supplier<@Nullable String> hang)
            throws InterruptedException {
        this.watchdogNanos = watchdogNanos;
        this.problems = problems;
        this.hang = hang;
        this.toldWatchdogNanos = System.nanoTime();
        this.loop = new EpollEventLoopGroup(1, new DefaultThreadFactory("service-manager", true));
        this.channel = new Bootstrap()
                .group(loop)
                .channel(EpollDomainDatagramChannel.class)
                .handler(new ChannelInboundHandlerAdapter())
                // @ is for a name that is in no folder, which begins with a 0.
                .connect(new DomainSocketAddress(socket.startsWith("@") ? "\0" + socket.substring(1) : socket))
                .sync()
                .channel();
    }

    /** Looks at the node from now on. */
    void start() {
        loop.scheduleWithFixedDelay(
                Guard.of("telling the service manager", this::look), 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        List<String> wrong = problems.get();
        String status = wrong.isEmpty() ? "serves clients" : wrong.get(0);
        if (!ready && wrong.isEmpty()) {
            ready = true;
            tell("READY=1");
        }
        if (!status.equals(told)) {
            told = status;
            tell("STATUS=" + status);
        }
        if (watchdogNanos > 0 && System.nanoTime() - toldWatchdogNanos >= watchdogNanos && hang.get() == null) {
            toldWatchdogNanos = System.nanoTime();
            tell("WATCHDOG=1");
        }
    }

    /** The node stops. */
    void stopping() throws InterruptedException {
        tell("STOPPING=1").await(LAST_WORD_MILLIS);
    }

    private ChannelFuture tell(String message) {
        byte[] bytes = message.getBytes(StandardCharsets.UTF_8);
        return channel.writeAndFlush(Unpooled.wrappedBuffer(bytes)).addListener(sent -> {
            if (!sent.isSuccess() && !failed) {
                failed = true;
                LOG.warn("the service manager cannot be told {}: {}", message, String.valueOf(sent.cause()));
            }
        });
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
