package io.dshm.server.security;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/**
 * The JDK's implementation of TLS beside netty-tcnative's: what a node's side of a handshake costs, and of a small and a large record each
 * way. Both in turns, in one thread, in memory; the client's side is the JDK's. Needs netty-tcnative-boringssl-static on the class path.
 */
public final class TlsEngines {

    private static final int ROUNDS = 15;
    private static final int HANDSHAKES = 60;
    private static final int RECORDS = 4_000;
    private static final int SMALL = 100;
    private static final int LARGE = 16_000;

    private final SSLEngine server;
    private final SSLEngine client;
    private final ByteBuffer toServer = ByteBuffer.allocateDirect(1 << 17);
    private final ByteBuffer toClient = ByteBuffer.allocateDirect(1 << 17);
    private final ByteBuffer content = ByteBuffer.allocateDirect(1 << 17);

    /** What the server's engine has taken. */
    private long nanos;

    private TlsEngines(SslContext server, SslContext client) {
        this.server = server.newEngine(ByteBufAllocator.DEFAULT);
        this.client = client.newEngine(ByteBufAllocator.DEFAULT, "n1", 1);
    }

    /** Takes half a minute. */
    public static void main(String[] arguments) throws Exception {
        OpenSsl.ensureAvailability();
        Path folder = Files.createTempDirectory("dshm-engines");
        Certificates certificates = new Certificates(folder).node("n1", "127.0.0.1");
        TlsMaterial material = TlsMaterial.read(certificates.files("n1"));
        SslContext client = SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .trustManager(material.authorities())
                .build();
        SslProvider[] providers = {SslProvider.JDK, SslProvider.OPENSSL};
        double[][][] micros = new double[providers.length][3][ROUNDS];
        for (int round = -3; round < ROUNDS; round++) {
            for (int which = 0; which < providers.length; which++) {
                SslContext server = SslContextBuilder.forServer(material.key(), material.chain())
                        .sslProvider(providers[which])
                        .protocols("TLSv1.3")
                        .build();
                double[] taken = {
                    handshakes(server, client), records(server, client, SMALL), records(server, client, LARGE)
                };
                for (int what = 0; what < taken.length && round >= 0; what++) {
                    micros[which][what][round] = taken[what];
                }
            }
        }
        String[] names = {"handshake", "100 bytes there and back", "16,000 bytes there and back"};
        for (int what = 0; what < names.length; what++) {
            System.out.printf(
                    Locale.ROOT,
                    "%-28s JDK %8.1f us   tcnative %8.1f us%n",
                    names[what],
                    quarter(micros[0][what]),
                    quarter(micros[1][what]));
        }
    }

    /** What a quarter of the rounds are within: other load on the machine only adds to it. */
    private static double quarter(double[] values) {
        Arrays.sort(values);
        return values[values.length / 4];
    }

    private static double handshakes(SslContext server, SslContext client) throws Exception {
        long sum = 0;
        for (int i = 0; i < HANDSHAKES; i++) {
            TlsEngines pair = new TlsEngines(server, client);
            pair.shakeHands();
            sum += pair.nanos;
        }
        return sum / 1e3 / HANDSHAKES;
    }

    private static double records(SslContext server, SslContext client, int bytes) throws Exception {
        TlsEngines pair = new TlsEngines(server, client);
        pair.shakeHands();
        pair.nanos = 0;
        for (int i = 0; i < RECORDS; i++) {
            ByteBuffer message = ByteBuffer.allocateDirect(bytes);
            pair.wrap(pair.client, message, pair.toServer);
            pair.unwrap(pair.server, pair.toServer);
            message.clear();
            pair.wrap(pair.server, message, pair.toClient);
            pair.unwrap(pair.client, pair.toClient);
        }
        return pair.nanos / 1e3 / RECORDS;
    }

    private void shakeHands() throws Exception {
        client.beginHandshake();
        server.beginHandshake();
        ByteBuffer nothing = ByteBuffer.allocateDirect(0);
        for (int step = 0; step < 100 && !(isDone(client) && isDone(server)); step++) {
            step(client, nothing, toClient, toServer);
            step(server, nothing, toServer, toClient);
        }
        // The tickets.
        while (toClient.position() > 0) {
            unwrap(client, toClient);
        }
    }

    private static boolean isDone(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
    }

    private void step(SSLEngine engine, ByteBuffer nothing, ByteBuffer in, ByteBuffer out) throws Exception {
        switch (engine.getHandshakeStatus()) {
            case NEED_WRAP -> wrap(engine, nothing, out);
            case NEED_TASK -> {
                long began = System.nanoTime();
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
                count(engine, began);
            }
            default -> unwrap(engine, in);
        }
    }

    private void wrap(SSLEngine engine, ByteBuffer from, ByteBuffer to) throws Exception {
        long began = System.nanoTime();
        engine.wrap(from, to);
        count(engine, began);
    }

    private void unwrap(SSLEngine engine, ByteBuffer from) throws Exception {
        from.flip();
        content.clear();
        long began = System.nanoTime();
        SSLEngineResult result = from.hasRemaining() ? engine.unwrap(from, content) : null;
        count(engine, began);
        if (result != null && result.getStatus() == SSLEngineResult.Status.CLOSED) {
            throw new IllegalStateException("ended");
        }
        from.compact();
    }

    private void count(SSLEngine engine, long began) {
        if (engine == server) {
            nanos += System.nanoTime() - began;
        }
    }
}
