package io.dshm.server.security;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.proto.PemException;
import io.dshm.server.network.Encryption;
import io.dshm.server.network.Ports;
import io.dshm.server.network.RefusalLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.cert.CertificateExpiredException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real sockets, on whose other side is the JDK's client. */
class TlsPortTest {

    private static final int MILLIS = 20_000;

    @TempDir
    private static Path folder;

    private static Certificates ours;
    private static Certificates foreign;

    @TempDir
    private Path own;

    private final NioEventLoopGroup loops = new NioEventLoopGroup(1, new DefaultThreadFactory("test", true));
    private final AtomicLong received = new AtomicLong();

    @BeforeAll
    static void make_certificates() throws IOException, InterruptedException {
        ours = new Certificates(folder.resolve("ours"))
                .node("n1", "127.0.0.1")
                .node("n2")
                .node("client")
                .expired("late", "10.0.0.2");
        foreign = new Certificates(folder.resolve("foreign"))
                .node("n1", "127.0.0.1")
                .node("client");
    }

    @AfterEach
    void stop() throws InterruptedException {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }

    private static TlsContext context(TlsFiles files, ClientAuth clients) throws IOException {
        return TlsContext.forClients(files, clients, Runnable::run, Limits.TLS_UNFINISHED_BYTES_MIN, Instant::now);
    }

    private static TlsPort port(TlsContext context, boolean takesPlain) {
        return new TlsPort(context, takesPlain, new RefusalLog("test", System::nanoTime));
    }

    /** A port that sends back what it receives. */
    private InetSocketAddress listen(Encryption encryption) throws IOException, InterruptedException {
        return listen(
                new Ports(loops, NioServerSocketChannel.class).with(encryption),
                accepted -> accepted.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext context, Object message) {
                        received.incrementAndGet();
                        context.writeAndFlush(message);
                    }
                }));
    }

    private static InetSocketAddress listen(Ports ports, Consumer<Channel> accept)
            throws IOException, InterruptedException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return (InetSocketAddress) ports.listen(any, "test", 16, accept).localAddress();
    }

    private static SSLSocket connect(InetSocketAddress to, SSLContext with) throws IOException {
        SSLSocket socket = (SSLSocket) with.getSocketFactory().createSocket(to.getAddress(), to.getPort());
        socket.setSoTimeout(MILLIS);
        return socket;
    }

    private static Socket plain(InetSocketAddress to) throws IOException {
        Socket socket = new Socket(to.getAddress(), to.getPort());
        socket.setSoTimeout(MILLIS);
        return socket;
    }

    private static void assertAnswers(Socket socket) throws IOException {
        socket.getOutputStream().write("hello".getBytes(US_ASCII));
        assertEquals("hello", new String(socket.getInputStream().readNBytes(5), US_ASCII));
    }

    private void assertRefused(InetSocketAddress to, SSLContext with) throws IOException {
        try (SSLSocket socket = connect(to, with)) {
            assertThrows(IOException.class, () -> assertAnswers(socket));
        }
        assertEquals(0, received.get());
    }

    private static BigInteger serialOf(SSLSocket socket) throws IOException {
        return ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSerialNumber();
    }

    @Test
    void a_client_that_believes_the_authority_is_served() throws Exception {
        TlsPort port = port(context(ours.files("n1"), ClientAuth.NONE), false);
        try (SSLSocket socket = connect(listen(port), ours.client())) {
            assertAnswers(socket);
            assertEquals("TLSv1.3", socket.getSession().getProtocol());
        }
        assertEquals(0, port.shaking());
    }

    /** Both kinds of event loops, because they go on to read in different ways. */
    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void a_message_that_takes_many_turns_arrives_as_it_was(boolean takesPlain, boolean epoll) throws Exception {
        byte[] message = new byte[40 * Limits.TLS_TURN_BYTES_MAX + 1];
        new Random(1).nextBytes(message);
        TlsPort port = port(context(ours.files("n1"), ClientAuth.NONE), takesPlain);
        EventLoopGroup epollLoops = new EpollEventLoopGroup(1, new DefaultThreadFactory("test", true));
        Ports ports = epoll
                ? new Ports(epollLoops, EpollServerSocketChannel.class)
                : new Ports(loops, NioServerSocketChannel.class);
        try (SSLSocket socket = connect(
                listen(ports.with(port), accepted -> accepted.pipeline().addLast(sendsBackAllOf(message.length))),
                ours.client())) {
            socket.getOutputStream().write(message);
            assertArrayEquals(message, socket.getInputStream().readAllBytes());
        } finally {
            epollLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        }
    }

    /** Waits for so many bytes, sends them back at once, and closes the connection. */
    private static ChannelInboundHandlerAdapter sendsBackAllOf(int length) {
        ByteBuf all = Unpooled.buffer(length);
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object part) {
                all.writeBytes((ByteBuf) part);
                ReferenceCountUtil.release(part);
                if (all.readableBytes() == length) {
                    context.writeAndFlush(all).addListener(ChannelFutureListener.CLOSE);
                }
            }
        };
    }

    @Test
    void of_the_older_version_only_the_one_before_is_taken() throws Exception {
        InetSocketAddress address = listen(port(context(ours.files("n1"), ClientAuth.NONE), false));
        try (SSLSocket socket = connect(address, ours.client())) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            assertAnswers(socket);
        }
        try (SSLSocket socket = connect(address, ours.client())) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            socket.setEnabledCipherSuites(new String[] {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"});
            assertThrows(IOException.class, () -> assertAnswers(socket));
        }
    }

    /** TLS 1.3 knows no such thing. */
    @Test
    void who_begins_a_second_handshake_is_disconnected() throws Exception {
        InetSocketAddress address = listen(port(context(ours.files("n1"), ClientAuth.NONE), false));
        try (SSLSocket socket = connect(address, ours.client())) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            assertAnswers(socket);
            socket.startHandshake();
            assertThrows(IOException.class, () -> assertAnswers(socket));
        }
        assertEquals(1, received.get());
    }

    @Test
    void where_certificates_are_needed_only_one_of_the_authority_that_is_valid_gets_in() throws Exception {
        InetSocketAddress address = listen(port(context(ours.files("n1"), ClientAuth.REQUIRE), false));
        assertRefused(address, ours.client());
        assertRefused(address, ours.client(foreign, "client"));
        assertRefused(address, ours.client(ours, "late"));
        try (SSLSocket socket = connect(address, ours.client(ours, "client"))) {
            assertAnswers(socket);
        }
    }

    @Test
    void where_certificates_are_wanted_none_will_do_and_a_bad_one_will_not() throws Exception {
        InetSocketAddress address = listen(port(context(ours.files("n1"), ClientAuth.OPTIONAL), false));
        assertRefused(address, ours.client(foreign, "client"));
        try (SSLSocket socket = connect(address, ours.client())) {
            assertAnswers(socket);
        }
    }

    @Test
    void between_nodes_only_members_get_in() throws Exception {
        Map<String, String> hosts = Map.of("n1", "10.0.0.1", "n2", "10.0.0.2");
        InetSocketAddress address = listen(port(
                TlsContext.forMembers(
                        ours.files("n1"),
                        new MemberCertificates(() -> hosts),
                        "n1",
                        Runnable::run,
                        Limits.TLS_UNFINISHED_BYTES_MIN,
                        Instant::now),
                false));
        assertRefused(address, ours.client());
        assertRefused(address, ours.client(foreign, "n1"));
        assertRefused(address, ours.client(ours, "client"));
        assertRefused(address, ours.client(ours, "late"));
        try (SSLSocket socket = connect(address, ours.client(ours, "n2"))) {
            assertAnswers(socket);
        }
    }

    @Test
    void a_node_that_believes_its_own_certificate_makes_a_handshake_with_itself() throws Exception {
        FirstHandshake.make(dialing(ours), accepting(), "n1");
        SslContext believesAnother = dialing(foreign);
        SSLException refused =
                assertThrows(SSLException.class, () -> FirstHandshake.make(believesAnother, accepting(), "n1"));
        assertEquals("its certificate is of no authority that this node believes", TlsFailures.reason(refused));
    }

    private static SslContext accepting() throws SSLException {
        return SslContextBuilder.forServer(
                        ours.certificate("n1").toFile(), ours.key("n1").toFile())
                .sslProvider(SslProvider.JDK)
                .clientAuth(ClientAuth.REQUIRE)
                .trustManager(ours.authority().toFile())
                .build();
    }

    private static SslContext dialing(Certificates believed) throws SSLException {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .keyManager(ours.certificate("n1").toFile(), ours.key("n1").toFile())
                .trustManager(believed.authority().toFile())
                .build();
    }

    /** As a node does that does not wait for the other one any longer. */
    @ParameterizedTest
    @CsvSource({"TLSv1.2, false", "TLSv1.3, true"})
    void a_handshake_that_the_other_side_ends_in_the_middle_is_no_success(String version, boolean hasAnswer)
            throws Exception {
        SSLEngine engine = ours.client(ours, "n2").createSSLEngine();
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {version});
        EmbeddedChannel channel = new EmbeddedChannel(
                context(ours.files("n1"), ClientAuth.REQUIRE).accepting(ByteBufAllocator.DEFAULT));
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void userEventTriggered(ChannelHandlerContext context, Object event) {
                if (event instanceof SslHandshakeCompletionEvent handshake) {
                    failure.set(TlsFailures.of(
                            handshake, context.pipeline().get(SslHandler.class).engine()));
                }
            }
        });
        send(engine, channel);
        if (hasAnswer) {
            receive(channel, engine);
        }
        engine.closeOutbound();
        send(engine, channel);
        Throwable found = failure.get();
        assertEquals("it gave up in the handshake", found == null ? null : TlsFailures.reason(found));
        channel.finishAndReleaseAll();
    }

    private static void send(SSLEngine engine, EmbeddedChannel to) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(64 * 1024);
        SSLEngineResult result = engine.wrap(ByteBuffer.allocate(0), out);
        while (result.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP) {
            result = engine.wrap(ByteBuffer.allocate(0), out);
        }
        to.writeInbound(Unpooled.wrappedBuffer(out.flip()));
        to.runPendingTasks();
    }

    /** Its answer, as far as it is not encrypted. */
    private static void receive(EmbeddedChannel from, SSLEngine engine) throws IOException {
        ByteBuf sent = from.readOutbound();
        engine.unwrap(sent.nioBuffer(), ByteBuffer.allocate(64 * 1024));
        sent.release();
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    @Test
    void nothing_of_a_plain_connection_gets_through() throws Exception {
        InetSocketAddress address = listen(port(context(ours.files("n1"), ClientAuth.NONE), false));
        try (Socket socket = plain(address)) {
            socket.getOutputStream().write("GET key\r\n".getBytes(US_ASCII));
            byte[] answer = socket.getInputStream().readAllBytes();
            assertFalse(new String(answer, US_ASCII).contains("GET"));
        }
        assertEquals(0, received.get());
    }

    @Test
    void while_clients_change_over_both_kinds_are_served() throws Exception {
        InetSocketAddress address = listen(port(context(ours.files("n1"), ClientAuth.NONE), true));
        try (Socket socket = plain(address)) {
            assertAnswers(socket);
            assertAnswers(socket);
        }
        try (SSLSocket socket = connect(address, ours.client())) {
            assertAnswers(socket);
            assertAnswers(socket);
        }
    }

    @Test
    void a_handshake_that_does_not_end_ends_the_connection() throws Exception {
        TlsPort port = port(context(ours.files("n1"), ClientAuth.NONE), false);
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        port.begin(channel);
        assertEquals(1, port.shaking());
        channel.advanceTimeBy(Limits.TLS_HANDSHAKE_MILLIS_MAX - 1, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertTrue(channel.isOpen());
        channel.advanceTimeBy(1, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertFalse(channel.isOpen());
        assertEquals(0, port.shaking());
        channel.finishAndReleaseAll();
    }

    @Test
    void the_oldest_of_too_many_handshakes_makes_way() throws Exception {
        TlsContext context = context(ours.files("n1"), ClientAuth.NONE);
        TlsPort port = new TlsPort(context, false, new RefusalLog("test", System::nanoTime), 2);
        InetSocketAddress address = listen(port);
        try (SSLSocket served = connect(address, ours.client())) {
            assertAnswers(served);
            try (Socket first = plain(address);
                    Socket second = plain(address);
                    SSLSocket third = connect(address, ours.client())) {
                assertAnswers(third);
                assertEquals(-1, first.getInputStream().read());
                assertEquals(1, port.shaking());
                second.getOutputStream().write(22);
            }
            assertAnswers(served);
        }
    }

    /** Certificates of this test's own, which it may change. */
    private Certificates changeable() throws IOException, InterruptedException {
        return new Certificates(own.resolve("ca")).node("n1", "127.0.0.1");
    }

    @Test
    void new_files_are_for_new_connections_and_the_others_go_on() throws Exception {
        Certificates certificates = changeable();
        TlsContext context = context(certificates.files("n1"), ClientAuth.NONE);
        InetSocketAddress address = listen(port(context, false));
        try (SSLSocket before = connect(address, certificates.client())) {
            assertAnswers(before);
            context.look();
            try (SSLSocket same = connect(address, certificates.client())) {
                assertEquals(serialOf(before), serialOf(same));
            }
            certificates.node("n1", "127.0.0.1");
            context.look();
            try (SSLSocket after = connect(address, certificates.client())) {
                assertNotEquals(serialOf(before), serialOf(after));
                assertAnswers(after);
            }
            assertAnswers(before);
        }
    }

    @Test
    void files_that_cannot_be_used_leave_those_before_them_in_use() throws Exception {
        Certificates certificates = changeable();
        TlsContext context = context(certificates.files("n1"), ClientAuth.NONE);
        InetSocketAddress address = listen(port(context, false));
        Path key = certificates.key("n1");
        String good = Files.readString(key);

        Files.writeString(key, "no key");
        context.look();
        assertTrue(String.valueOf(context.problem()).contains("n1.key: has no private key"), context::problem);
        assertThrows(PemException.class, context::reload);
        Files.copy(foreign.key("n1"), key, StandardCopyOption.REPLACE_EXISTING);
        context.look();
        assertTrue(String.valueOf(context.problem()).contains("is not the key of the certificate"), context::problem);
        Files.delete(key);
        context.look();
        assertTrue(String.valueOf(context.problem()).contains("no such file"), context::problem);
        Files.writeString(key, good);
        certificates.expired("n1", "127.0.0.1");
        context.look();
        assertTrue(String.valueOf(context.problem()).contains("has expired"), context::problem);
        try (SSLSocket socket = connect(address, certificates.client())) {
            assertAnswers(socket);
        }

        certificates.node("n1", "127.0.0.1");
        assertTrue(context.reload().contains("[127.0.0.1, n1]"));
        assertNull(context.problem());
        assertEquals(364, context.daysLeft());
    }

    @Test
    void one_authority_takes_over_from_another_while_both_are_believed() throws Exception {
        Certificates old = changeable();
        Files.writeString(old.authority(), Files.readString(ours.authority()), StandardOpenOption.APPEND);
        TlsContext context = context(old.files("n1"), ClientAuth.REQUIRE);
        InetSocketAddress address = listen(port(context, false));
        SSLContext ofNewAuthority = old.client(ours, "client");
        try (SSLSocket socket = connect(address, ofNewAuthority)) {
            assertAnswers(socket);
        }
        try (SSLSocket socket = connect(address, old.client(old, "n1"))) {
            assertAnswers(socket);
        }
        Files.copy(ours.authority(), old.authority(), StandardCopyOption.REPLACE_EXISTING);
        old.replace("n1", ours);
        SSLContext ofOldAuthority = ours.client(foreign, "client");
        context.look();
        assertNull(context.problem());
        received.set(0);
        assertRefused(address, ofOldAuthority);
        try (SSLSocket socket = connect(address, ours.client(ours, "client"))) {
            assertAnswers(socket);
        }
    }

    @Test
    void a_key_in_another_form_is_named_with_what_to_do() throws Exception {
        Certificates certificates = changeable();
        Files.writeString(
                certificates.key("n1"),
                Files.readString(certificates.key("n1")).replace("PRIVATE KEY", "EC PRIVATE KEY"));
        PemException refused =
                assertThrows(PemException.class, () -> context(certificates.files("n1"), ClientAuth.NONE));
        assertTrue(String.valueOf(refused.getMessage()).contains("openssl pkcs8 -topk8"), refused::toString);
    }

    @Test
    void the_log_says_why_there_is_no_connection_unless_the_other_side_has_only_gone_away() {
        assertNull(TlsFailures.reason(new ClosedChannelException()));
        assertEquals(
                "its certificate has expired", TlsFailures.reason(new SSLException(new CertificateExpiredException())));
        assertEquals("no handshake in time", TlsFailures.reason(new SslHandshakeTimeoutException("x")));
        assertEquals("it does not speak TLS", TlsFailures.reason(new DecoderException(new NotSslRecordException("x"))));
        assertEquals("too many steps of handshakes wait", TlsFailures.reason(new RejectedExecutionException("x")));
    }
}
