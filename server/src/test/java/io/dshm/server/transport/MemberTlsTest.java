package io.dshm.server.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import io.dshm.proto.Limits;
import io.dshm.proto.PemException;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.server.network.DialedEncryption;
import io.dshm.server.network.Encryption;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.security.Certificates;
import io.dshm.server.security.MemberCertificates;
import io.dshm.server.security.TlsContext;
import io.dshm.server.security.TlsDialing;
import io.dshm.server.security.TlsFiles;
import io.dshm.server.security.TlsPort;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may be at the other end of a connection between nodes, over real connections. */
@Timeout(60)
class MemberTlsTest {

    @TempDir
    private static Path folder;

    private static Certificates ours;
    private static Certificates foreign;

    private final LoopbackMembers members = new LoopbackMembers("n1", "n2", "n3");
    private final CallServer server = new CallServer(new UnansweredCalls.Total(1 << 22), () -> 0);
    private final BlockingQueue<MemberLink.Speech> known = new LinkedBlockingQueue<>();
    private @Nullable MemberLink link;

    /** How many handshakes or greetings n2 has refused, or n1 if the fault is found there. */
    private final CountDownLatch twice = new CountDownLatch(2);

    private final RefusalLog refusals = new RefusalLog("test", System::nanoTime);

    @BeforeAll
    static void make_certificates() throws IOException, InterruptedException {
        // Without addresses: all members here have the same one, and each is to be told from the others.
        ours = new Certificates(folder.resolve("ours"))
                .node("n1")
                .node("n2")
                .node("n3")
                .node("stranger", "n1.example.com", "127.0.0.9")
                .node("address", "127.0.0.1")
                .expired("late", "n1");
        foreign = new Certificates(folder.resolve("foreign")).node("n1").node("n2");
    }

    @AfterEach
    void end() throws InterruptedException {
        if (link != null) {
            link.close();
        }
        members.close();
    }

    /** The context of a node that shows these files, whoever it is. */
    private static TlsContext context(TlsFiles files, String self, Map<String, String> hosts) throws IOException {
        return TlsContext.forMembers(
                files,
                new MemberCertificates(() -> hosts),
                self,
                Runnable::run,
                Limits.TLS_UNFINISHED_BYTES_MIN,
                Instant::now);
    }

    /** One that believes that it is whoever it shows to be. */
    private static TlsContext careless(TlsFiles files) throws IOException {
        return context(files, "any", Map.of("any", anyNameOf(files), "n1", "-", "n2", "-", "n3", "-"));
    }

    private static String anyNameOf(TlsFiles files) {
        return files.certificate().getFileName().toString().replace(".pem", "");
    }

    private TlsContext context(TlsFiles files, String self) throws IOException {
        return context(files, self, members.hosts());
    }

    private void encrypt(String name, TlsContext context, boolean plainToo) {
        Encryption port = new TlsPort(context, plainToo, refusals);
        DialedEncryption dialing = new TlsDialing(context, plainToo, refusals);
        members.encrypt(name, port, (channel, node) -> {
            dialing.begin(channel, node);
            channel.closeFuture().addListener(closed -> twice.countDown());
        });
    }

    private MemberLink connect() throws IOException, InterruptedException {
        server.open(new TestMessages(), call -> call.answer(call.request()));
        members.listen("n2", server);
        MemberLink connecting =
                new MemberLink("n2", members.dialer("n1"), new TestMessages(), 1 << 20, () -> known.add(speech()));
        link = connecting;
        return connecting;
    }

    private MemberLink.Speech speech() {
        return link == null ? MemberLink.Speech.UNKNOWN : link.speech();
    }

    private void assertConnected() throws Exception {
        MemberLink connected = connect();
        assertEquals(MemberLink.Speech.CALLS, known.take());
        CompletableFuture<MessageLite> answer = new CompletableFuture<>();
        connected.call(true, TestMessages.of(1 << 20), 3_600_000, (message, failure) -> {
            if (failure == null) {
                answer.complete(message);
            } else {
                answer.completeExceptionally(failure);
            }
        });
        assertEquals(TestMessages.of(1 << 20), answer.get());
    }

    /** It is tried again, and never succeeds. */
    private void assertRefused() throws Exception {
        connect();
        twice.await();
        assertEquals(MemberLink.Speech.UNKNOWN, speech());
        assertTrue(known.isEmpty());
    }

    @Test
    void members_with_certificates_for_their_names_call_each_other() throws Exception {
        encrypt("n1", context(ours.files("n1"), "n1"), false);
        encrypt("n2", context(ours.files("n2"), "n2"), false);
        assertConnected();
    }

    /** The first ones take long on a busy machine; the greeting's time begins when they are over. */
    @Test
    void nobody_greets_before_the_handshake_is_over() throws Exception {
        TlsContext context = context(ours.files("n1"), "n1");
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        new TlsDialing(context, false, refusals).begin(channel, "n2");
        PeerCodec.addForCalls(channel.pipeline());
        channel.pipeline()
                .addLast(new CallConnection(
                        PeerMessage.getDefaultInstance(), new TestMessages(), 1 << 20, new CallConnection.Events() {
                            @Override
                            public void onGreeted(CallConnection connection, boolean takesCalls) {}

                            @Override
                            public void onEnded(CallConnection connection) {}
                        }));
        channel.pipeline().fireChannelActive();
        channel.advanceTimeBy(Limits.TLS_HANDSHAKE_MILLIS_MAX - 1, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertTrue(channel.isOpen());
        channel.advanceTimeBy(1, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertFalse(channel.isOpen());
        channel.finishAndReleaseAll();
    }

    /** Otherwise a busy node would send plain text to one that takes none. */
    @Test
    void a_handshake_that_is_ended_here_does_not_make_the_other_node_one_without_tls() throws Exception {
        TlsDialing dialing = new TlsDialing(context(ours.files("n1"), "n1"), true, refusals);
        for (int i = 0; i < 2; i++) {
            EmbeddedChannel channel = new EmbeddedChannel();
            dialing.begin(channel, "n2");
            assertNotNull(channel.pipeline().get(SslHandler.class));
            channel.close();
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void a_certificate_for_the_members_address_will_do() throws Exception {
        encrypt("n1", context(ours.files("address"), "n1"), false);
        encrypt("n2", context(ours.files("address"), "n2"), false);
        assertConnected();
    }

    @Test
    void who_has_a_certificate_of_another_authority_is_refused() throws Exception {
        encrypt("n1", careless(new TlsFiles(foreign.certificate("n1"), foreign.key("n1"), ours.authority())), false);
        encrypt("n2", context(ours.files("n2"), "n2"), false);
        assertRefused();
    }

    @Test
    void who_accepts_with_a_certificate_of_another_authority_is_told_nothing() throws Exception {
        encrypt("n1", context(ours.files("n1"), "n1"), false);
        encrypt("n2", careless(new TlsFiles(foreign.certificate("n2"), foreign.key("n2"), ours.authority())), false);
        assertRefused();
    }

    @ParameterizedTest
    @CsvSource({"late", "stranger", "n3"})
    void who_has_a_certificate_that_has_expired_or_is_for_nobody_or_for_another_member_is_refused(String name)
            throws Exception {
        encrypt("n1", careless(ours.files(name)), false);
        encrypt("n2", context(ours.files("n2"), "n2"), false);
        assertRefused();
    }

    @Test
    void who_accepts_with_the_certificate_of_another_member_is_told_nothing() throws Exception {
        encrypt("n1", context(ours.files("n1"), "n1"), false);
        encrypt("n2", careless(ours.files("n3")), false);
        assertRefused();
    }

    @Test
    void who_does_not_speak_tls_is_refused() throws Exception {
        members.encrypt(
                "n1",
                Encryption.NONE,
                (channel, node) -> channel.closeFuture().addListener(closed -> twice.countDown()));
        encrypt("n2", context(ours.files("n2"), "n2"), false);
        assertRefused();
    }

    @Test
    void a_node_that_takes_no_tls_is_not_spoken_to() throws Exception {
        encrypt("n1", context(ours.files("n1"), "n1"), false);
        assertRefused();
    }

    @ParameterizedTest
    @CsvSource({"both, off", "both, both", "both, on", "off, both", "on, both"})
    void nodes_that_change_over_reach_each_other(String dialing, String accepting) throws Exception {
        if (!dialing.equals("off")) {
            encrypt("n1", context(ours.files("n1"), "n1"), dialing.equals("both"));
        }
        if (!accepting.equals("off")) {
            encrypt("n2", context(ours.files("n2"), "n2"), accepting.equals("both"));
        }
        assertConnected();
    }

    @Test
    void who_believes_nobody_is_not_dialed_without_tls() throws Exception {
        encrypt("n1", context(ours.files("n1"), "n1"), true);
        encrypt("n2", careless(foreign.files("n2")), true);
        assertRefused();
    }

    @Test
    void a_node_does_not_start_with_the_certificate_of_another() {
        PemException refused = assertThrows(PemException.class, () -> context(ours.files("n3"), "n1"));
        assertTrue(
                String.valueOf(refused.getMessage()).contains("the other nodes expect one for n1 or 127.0.0.1"),
                refused::toString);
    }
}
