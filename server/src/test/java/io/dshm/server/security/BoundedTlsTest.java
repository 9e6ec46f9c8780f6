package io.dshm.server.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.server.network.Ports;
import io.dshm.server.network.SocketEnds;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BoundedTlsTest {

    private static final int HEADER = 5;

    /** Bytes of data in {@link #record}. */
    private static final int LENGTH = 10_000;

    /** For so many records there is room. */
    private static final int RECORDS_MAX = 40;

    private static final int SECONDS = 60;

    /** More than a handshake has. */
    private static final int STEPS_MAX = 20;

    @TempDir
    private static Path folder;

    private static Certificates certificates;

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final TlsRoom room = new TlsRoom(RECORDS_MAX * (HEADER + LENGTH));
    private final List<Throwable> failures = new ArrayList<>();
    private final List<EmbeddedChannel> channels = new ArrayList<>();
    private final ByteBuf received = Unpooled.buffer();

    @BeforeAll
    static void make_certificates() throws IOException, InterruptedException {
        certificates = new Certificates(folder.resolve("ca")).node("n1").node("client");
    }

    @AfterEach
    void nothing_is_left() {
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
        assertEquals(0, room.bytes());
        assertEquals(0, allocator.metric().usedDirectMemory());
        received.release();
    }

    private SSLEngine accepting() throws SSLException {
        return SslContextBuilder.forServer(
                        certificates.certificate("n1").toFile(),
                        certificates.key("n1").toFile())
                .sslProvider(SslProvider.JDK)
                .clientAuth(ClientAuth.REQUIRE)
                .trustManager(certificates.authority().toFile())
                .build()
                .newEngine(allocator);
    }

    private SSLEngine dialing() throws SSLException {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .keyManager(
                        certificates.certificate("client").toFile(),
                        certificates.key("client").toFile())
                .trustManager(certificates.authority().toFile())
                .build()
                .newEngine(allocator);
    }

    private EmbeddedChannel accepted(Executor handshakes) throws Exception {
        return channel(new BoundedTls(accepting(), handshakes, room), new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                ByteBuf bytes = (ByteBuf) message;
                received.writeBytes(bytes);
                bytes.release();
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                failures.add(cause);
                context.close();
            }
        });
    }

    private EmbeddedChannel channel(ChannelHandler... handlers) throws Exception {
        EmbeddedChannel made = new EmbeddedChannel(false, false);
        made.config().setAllocator(allocator);
        made.pipeline().addLast(handlers);
        made.register();
        channels.add(made);
        return made;
    }

    private static byte[] header(int type, int length) {
        return new byte[] {(byte) type, 3, 3, (byte) (length >> 8), (byte) length};
    }

    /** A record that begins a handshake, of which so many bytes arrive, its header among them. */
    private ByteBuf record(int arrived) {
        ByteBuf bytes = allocator.directBuffer(64 * 1024);
        return bytes.writeBytes(header(22, LENGTH)).writeZero(LENGTH).writerIndex(arrived);
    }

    /** All that waits there to be sent. */
    private ByteBuf sentBy(EmbeddedChannel from) {
        ByteBuf all = allocator.directBuffer();
        for (ByteBuf part = from.readOutbound(); part != null; part = from.readOutbound()) {
            all.writeBytes(part);
            part.release();
        }
        return all;
    }

    private @Nullable Throwable failure() {
        if (failures.isEmpty()) {
            return null;
        }
        Throwable first = failures.get(0);
        return first instanceof DecoderException ? first.getCause() : first;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5, 6, HEADER + LENGTH - 1})
    void the_beginning_of_a_record_takes_as_much_as_the_record(int arrived) throws Exception {
        EmbeddedChannel channel = accepted(Runnable::run);
        channel.writeInbound(record(arrived));
        assertEquals(arrived < HEADER ? HEADER : HEADER + LENGTH, room.bytes());
        assertEquals(room.bytes(), allocator.metric().usedDirectMemory());
        channel.writeInbound(record(HEADER + LENGTH).readerIndex(arrived));
        assertEquals(0, room.bytes());
        assertInstanceOf(SSLException.class, failure());
    }

    @Test
    void a_record_longer_than_tls_allows_ends_the_connection() throws Exception {
        int longest = Limits.TLS_RECORD_BYTES_MAX - HEADER;
        EmbeddedChannel channel = accepted(Runnable::run);
        channel.writeInbound(Unpooled.wrappedBuffer(header(22, longest)));
        assertNull(failure());
        assertEquals(Limits.TLS_RECORD_BYTES_MAX, room.bytes());

        EmbeddedChannel other = accepted(Runnable::run);
        other.writeInbound(Unpooled.wrappedBuffer(header(22, longest + 1)));
        assertEquals(
                "a record of 18438 bytes, 18437 are allowed",
                Objects.requireNonNull(failure()).getMessage());
        assertFalse(other.isOpen());
        assertEquals(Limits.TLS_RECORD_BYTES_MAX, room.bytes());
    }

    @Test
    void those_that_have_not_gone_on_for_the_longest_time_make_way() throws Exception {
        List<EmbeddedChannel> all = new ArrayList<>();
        for (int i = 0; i < RECORDS_MAX; i++) {
            all.add(accepted(Runnable::run));
            all.get(i).writeInbound(record(100));
        }
        // More of the same record is no reason to stay.
        all.get(0).writeInbound(record(200).readerIndex(100));
        assertEquals(RECORDS_MAX * (HEADER + LENGTH), room.bytes());
        assertNull(failure());

        all.add(accepted(Runnable::run));
        all.get(RECORDS_MAX).writeInbound(record(100));
        assertEquals(
                "others need the room that its unfinished record takes",
                Objects.requireNonNull(failure()).getMessage());
        assertFalse(all.remove(0).isOpen());
        assertTrue(all.stream().allMatch(EmbeddedChannel::isOpen));
        assertEquals(RECORDS_MAX * (HEADER + LENGTH), room.bytes());
    }

    /** The last two would be the beginning of a handshake of the time before TLS. */
    @ParameterizedTest
    @ValueSource(strings = {"GET key\r\n", "GET", "\u0080@\u0001\u0003\u0001", "\u0000@\u0001\u0001\u0003"})
    void what_is_no_record_ends_the_connection_and_is_not_kept(String plain) throws Exception {
        EmbeddedChannel channel = accepted(Runnable::run);
        ByteBuf sent = Unpooled.buffer().writeBytes(plain.getBytes(StandardCharsets.ISO_8859_1));
        channel.writeInbound(sent.writeZero(100_000));
        assertInstanceOf(NotSslRecordException.class, failure());
        assertFalse(channel.isOpen());
        assertEquals(0, room.bytes());
    }

    /** However it is cut, what is sent arrives; the client sends its data together with the end of its handshake. */
    @Test
    void while_a_step_of_a_handshake_is_computed_little_more_is_read() throws Exception {
        byte[] data = new byte[300_000];
        new Random(1).nextBytes(data);
        Queue<Runnable> steps = new ArrayDeque<>();
        EmbeddedChannel server = accepted(steps::add);
        EmbeddedChannel client = channel(new SslHandler(dialing()));
        client.writeAndFlush(Unpooled.wrappedBuffer(data));
        long mostKept = 0;
        ByteBuf sent = sentBy(client);
        for (int step = 0; received.readableBytes() < data.length; step++) {
            assertTrue(step < STEPS_MAX, () -> received + " is all that arrives");
            send(sent, server);
            mostKept = Math.max(mostKept, room.bytes());
            if (!steps.isEmpty()) {
                steps.remove().run();
                server.runPendingTasks();
            }
            client.writeInbound(sentBy(server));
            if (!sent.isReadable()) {
                sent.release();
                sent = sentBy(client);
            }
        }
        sent.release();
        assertTrue(mostKept > Limits.TLS_HANDSHAKE_BYTES_MAX, "it has paused");
        assertTrue(mostKept < 3 * Limits.TLS_HANDSHAKE_BYTES_MAX, "it has paused in time");
        assertEquals(Unpooled.wrappedBuffer(data), received);
        assertNull(failure());
    }

    /** One that has received the first message of a client, and whose step waits there. */
    private EmbeddedChannel shaking(Queue<Runnable> steps) throws Exception {
        EmbeddedChannel server = accepted(steps::add);
        server.writeInbound(sentBy(channel(new SslHandler(dialing()))));
        assertEquals(1, steps.size());
        return server;
    }

    private static SSLEngine engine(EmbeddedChannel channel) {
        return channel.pipeline().get(SslHandler.class).engine();
    }

    private static void assertIsNotComputed(Runnable step, SSLEngine engine) {
        step.run();
        assertNotNull(engine.getDelegatedTask());
    }

    @Test
    void a_step_of_a_connection_that_has_ended_is_not_computed() throws Exception {
        Queue<Runnable> steps = new ArrayDeque<>();
        EmbeddedChannel server = shaking(steps);
        SSLEngine engine = engine(server);
        SocketEnds.drop(server);
        assertFalse(server.isOpen());
        assertIsNotComputed(steps.remove(), engine);
    }

    @Test
    void the_end_of_the_input_in_the_middle_of_a_handshake_ends_the_connection() throws Exception {
        Queue<Runnable> steps = new ArrayDeque<>();
        EmbeddedChannel server = shaking(steps);
        SSLEngine engine = engine(server);
        server.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertFalse(server.isOpen());
        assertIsNotComputed(steps.remove(), engine);
    }

    @Test
    void what_came_before_the_end_of_the_input_may_be_the_rest_of_a_handshake() throws Exception {
        Queue<Runnable> steps = new ArrayDeque<>();
        EmbeddedChannel server = shaking(steps);
        server.writeInbound(record(HEADER + LENGTH));
        server.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertTrue(server.isOpen());
        SSLEngine engine = engine(server);
        steps.remove().run();
        assertNull(engine.getDelegatedTask());
    }

    @Test
    void a_step_that_finds_no_room_ends_the_connection_with_that_cause() throws Exception {
        EmbeddedChannel server = accepted(step -> {
            throw new RejectedExecutionException("full");
        });
        server.writeInbound(sentBy(channel(new SslHandler(dialing()))));
        assertInstanceOf(RejectedExecutionException.class, failure());
        assertFalse(server.isOpen());
    }

    /** Netty's handler wants to read on, whether its connection reads by itself or is asked to. */
    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    @Timeout(SECONDS)
    void a_socket_is_not_read_while_a_step_of_a_handshake_is_computed(boolean epoll, boolean autoRead)
            throws Exception {
        byte[] data = new byte[32 * 1024 * 1024];
        new Random(1).nextBytes(data);
        EventLoopGroup loop = loop(epoll);
        BlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();
        AtomicLong arrived = new AtomicLong();
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        BoundedTls tls = new BoundedTls(accepting(), steps::add, room);
        Channel port = listen(loop, epoll, accepted -> {
            accepted.config().setAutoRead(autoRead);
            accepted.pipeline().addLast(counting(arrived), tls, new TlsTurns(), taking(data, autoRead, done));
        });
        try (Socket client = connect(port)) {
            CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> write(data, client));
            // For the client's first message; then come its certificate and its data.
            Objects.requireNonNull(steps.poll(SECONDS, TimeUnit.SECONDS)).run();
            // So much is only kept when it is paused.
            long paused = Limits.TLS_HANDSHAKE_BYTES_MAX + Limits.TLS_RECORD_BYTES_MAX + 1;
            while (inTurn(loop, room::bytes) < paused) {
                assertFalse(done.isDone());
            }
            long before = arrived.get();
            for (int i = 0; i < 100; i++) {
                assertEquals(before, inTurn(loop, arrived::get));
            }
            while (!done.isDone()) {
                Runnable next = steps.poll(10, TimeUnit.MILLISECONDS);
                if (next != null) {
                    next.run();
                }
            }
            assertTrue(done.get());
            sent.get(SECONDS, TimeUnit.SECONDS);
            assertEquals(0, inTurn(loop, room::bytes));
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        }
    }

    /** JDK clients ask for new keys whenever they are told to shake hands again. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Timeout(SECONDS)
    void who_does_not_take_the_answers_to_updates_of_keys_is_not_read(boolean epoll) throws Exception {
        EventLoopGroup loop = loop(epoll);
        CompletableFuture<Channel> server = new CompletableFuture<>();
        BoundedTls tls = new BoundedTls(accepting(), Runnable::run, room);
        Channel port = listen(loop, epoll, accepted -> {
            accepted.config().setOption(ChannelOption.SO_SNDBUF, 4096);
            accepted.pipeline().addLast(tls, new TlsTurns(), new ChannelInboundHandlerAdapter() {
                @Override
                public void channelWritabilityChanged(ChannelHandlerContext context) {
                    accepted.config().setAutoRead(accepted.isWritable());
                }
            });
            server.complete(accepted);
        });
        try (SSLSocket client = connect(port)) {
            client.setReceiveBufferSize(4096);
            Thread updating = new Thread(() -> updateKeys(client));
            updating.start();
            Channel accepted = server.get();
            try {
                Callable<Long> pending =
                        () -> accepted.unsafe().outboundBuffer().totalPendingWriteBytes();
                long last = 0;
                for (int turnsWithoutMore = 0; turnsWithoutMore < 100; ) {
                    long now = inTurn(loop, pending);
                    assertTrue(now < 1024 * 1024, () -> now + " bytes of answers");
                    turnsWithoutMore = now > 0 && now == last ? turnsWithoutMore + 1 : 0;
                    last = now;
                }
            } finally {
                // First: the client's own end would wait for its thread, which waits to be read.
                accepted.close().await();
            }
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        }
    }

    /** Until the socket is closed. */
    private static void updateKeys(SSLSocket socket) {
        try {
            while (!socket.isClosed()) {
                socket.startHandshake();
            }
        } catch (IOException e) {
            // It has been closed.
        }
    }

    private static EventLoopGroup loop(boolean epoll) {
        DefaultThreadFactory threads = new DefaultThreadFactory("test", true);
        return epoll ? new EpollEventLoopGroup(1, threads) : new NioEventLoopGroup(1, threads);
    }

    private static Channel listen(EventLoopGroup loop, boolean epoll, Consumer<Channel> accept) throws Exception {
        return new Ports(loop, epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), "test", 1, accept);
    }

    private static SSLSocket connect(Channel port) throws Exception {
        InetSocketAddress address = (InetSocketAddress) port.localAddress();
        return (SSLSocket) certificates
                .client(certificates, "client")
                .getSocketFactory()
                .createSocket(address.getAddress(), address.getPort());
    }

    /** In a turn of the loop that begins now. */
    private static long inTurn(EventLoopGroup loop, Callable<Long> value) throws Exception {
        return loop.submit(value).get(SECONDS, TimeUnit.SECONDS);
    }

    private static void write(byte[] data, Socket to) {
        try {
            to.getOutputStream().write(data);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ChannelHandler counting(AtomicLong arrived) {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                arrived.addAndGet(((ByteBuf) message).readableBytes());
                context.fireChannelRead(message);
            }
        };
    }

    /** Completes when so much data has come: with whether it is that data, and the connection reads as it did. */
    private static ChannelHandler taking(byte[] data, boolean autoRead, CompletableFuture<Boolean> done) {
        ByteBuf all = Unpooled.buffer(data.length);
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                context.read();
            }

            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                all.writeBytes((ByteBuf) message);
                ReferenceCountUtil.release(message);
                if (all.readableBytes() == data.length) {
                    done.complete(all.equals(Unpooled.wrappedBuffer(data))
                            && context.channel().config().isAutoRead() == autoRead);
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext context) {
                if (!autoRead) {
                    context.read();
                }
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                done.completeExceptionally(cause);
            }
        };
    }

    /** In pieces, for as long as the other side reads. */
    private static void send(ByteBuf bytes, EmbeddedChannel to) {
        Random random = new Random(2);
        while (bytes.isReadable() && to.config().isAutoRead()) {
            int length = Math.min(bytes.readableBytes(), 1 + random.nextInt(9_000));
            to.writeInbound(bytes.readRetainedSlice(length));
        }
    }
}
