package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a service manager gets on its socket: a real one, on which the test listens. */
class ServiceManagerTest {

    @TempDir
    Path folder;

    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
    private volatile List<String> problems = List.of("loads its data");
    private volatile @Nullable String hang;
    private EventLoopGroup loops;

    @BeforeEach
    void start() {
        assumeTrue(Epoll.isAvailable());
        loops = new EpollEventLoopGroup(1);
    }

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Listens, and returns the environment that systemd gives a service. */
    private Map<String, String> listen(String socket) {
        Channel listener = new Bootstrap()
                .group(loops)
                .channel(EpollDomainDatagramChannel.class)
                .handler(new SimpleChannelInboundHandler<DomainDatagramPacket>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext context, DomainDatagramPacket packet) {
                        received.add(packet.content().toString(StandardCharsets.UTF_8));
                    }
                })
                .bind(new DomainSocketAddress(socket.startsWith("@") ? "\0" + socket.substring(1) : socket))
                .syncUninterruptibly()
                .channel();
        assertTrue(listener.isActive());
        return new HashMap<>(Map.of("NOTIFY_SOCKET", socket));
    }

    private ServiceManager started(Map<String, String> environment, Supplier<@Nullable String> asked)
            throws IOException, InterruptedException {
        ServiceManager manager = ServiceManager.of(environment, () -> problems, asked);
        assertNotNull(manager);
        manager.start();
        return manager;
    }

    private String next() throws InterruptedException {
        return String.valueOf(received.poll(10, TimeUnit.SECONDS));
    }

    @Test
    void a_node_is_ready_when_nothing_is_wrong_any_more_and_says_until_then_what_it_waits_for()
            throws IOException, InterruptedException {
        try (ServiceManager manager = started(listen(folder.resolve("notify").toString()), () -> hang)) {
            assertEquals("STATUS=loads its data", next());
            problems = List.of();
            assertEquals("READY=1", next());
            assertEquals("STATUS=serves clients", next());
            problems = List.of("no leader is known", "not up to date");
            assertEquals("STATUS=no leader is known", next());
            problems = List.of();
            assertEquals("STATUS=serves clients", next(), "it was ready before");
            manager.stopping();
            assertEquals("STOPPING=1", next());
        }
    }

    @Test
    void the_watchdog_is_told_as_long_as_nothing_hangs() throws IOException, InterruptedException {
        Map<String, String> environment = listen(folder.resolve("notify").toString());
        environment.put("WATCHDOG_USEC", "1000");
        environment.put("WATCHDOG_PID", String.valueOf(ProcessHandle.current().pid()));
        CountDownLatch asked = new CountDownLatch(3);
        Supplier<@Nullable String> asking = () -> {
            if (hang != null) {
                asked.countDown();
            }
            return hang;
        };
        try (ServiceManager manager = started(environment, asking)) {
            assertEquals("STATUS=loads its data", next());
            assertEquals("WATCHDOG=1", next(), "a node that starts is alive");
            assertEquals("WATCHDOG=1", next());
            hang = "event loop 1 of 2 has stood still for 5 s";
            assertTrue(asked.await(10, TimeUnit.SECONDS));
            manager.stopping();
            List<String> since = new ArrayList<>();
            for (String message = next(); !message.equals("STOPPING=1"); message = next()) {
                since.add(message);
            }
            // The one that was on its way when it began to hang.
            assertTrue(since.size() <= 1, since::toString);
        }
    }

    @Test
    void no_watchdog_of_another_process_is_told() throws IOException, InterruptedException {
        Map<String, String> environment = listen(folder.resolve("notify").toString());
        environment.put("WATCHDOG_USEC", "1000");
        environment.put("WATCHDOG_PID", "1");
        problems = List.of();
        try (ServiceManager manager = started(environment, () -> hang)) {
            assertEquals("READY=1", next());
            assertEquals("STATUS=serves clients", next());
            problems = List.of("no leader is known");
            assertEquals("STATUS=no leader is known", next());
            manager.stopping();
            assertEquals("STOPPING=1", next());
        }
    }

    @Test
    void a_socket_may_have_a_name_that_is_in_no_folder() throws IOException, InterruptedException {
        problems = List.of();
        String name = "@dshm-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
        try (ServiceManager manager = started(listen(name), () -> hang)) {
            assertEquals("READY=1", next());
            assertNotNull(manager);
        }
    }

    @Test
    void without_a_service_manager_nobody_is_told() throws IOException, InterruptedException {
        assertNull(ServiceManager.of(Map.of(), () -> problems, () -> hang));
        assertFalse(received.contains("READY=1"));
    }
}
