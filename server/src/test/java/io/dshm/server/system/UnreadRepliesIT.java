package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Clients that ask for much and read nothing, on a node with little memory and its own settings. Without a bound, each of the
 * tests needs more memory than there is: of the heap, or outside of it, where Netty's buffers are.
 */
class UnreadRepliesIT {

    private static final int MIB = 1024 * 1024;

    private static final String LARGE_HEAP = "large-heap";

    /** One value of the longest; an eighth of either memory is less. */
    private static final int REPLIES_MAX = 32 * MIB;

    /** Each can have more than 256 KiB wait for it. */
    private static final int SILENT = 1_500;

    /** More than the system takes for a connection. */
    private static final int SESSION_BYTES = 8 * MIB;

    /** What the count of a node lags behind, and one reply. */
    private static final int INEXACT = MIB;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    private final List<BareConnection> silent = new ArrayList<>();
    private NodeProcess node;
    private Increments bystander;

    @BeforeEach
    void start(TestInfo test) throws IOException, InterruptedException {
        String heap = test.getTags().contains(LARGE_HEAP) ? "-Xmx2g" : "-Xmx256m";
        node = processes
                .newNode()
                .withJvm(heap, "-XX:MaxDirectMemorySize=96m")
                .withSharedance("--sharedance-value-bytes-max", "" + SESSION_BYTES);
        node.start();
        node.awaitHealthy();
        bystander = Increments.start(node, "bystander::n", 2);
        bystander.awaitMore(20);
    }

    @AfterEach
    void others_noticed_nothing_and_nothing_is_left() throws IOException, InterruptedException {
        bystander.awaitMore(100);
        node.awaitHealthy();
        assertEquals(List.of(), bystander.stop().failures());
        for (BareConnection connection : silent) {
            connection.close();
        }
        Await.until("nothing waits for clients", () -> node.statusNumber("replyMemoryBytes") == 0);
        assertTrue(node.isAlive());
    }

    @Test
    void old_values_of_which_nobody_reads_the_replies_do_not_fill_the_heap() throws IOException {
        try (DshmConnection writer = node.connect()) {
            for (int i = 0; i < 100; i++) {
                writer.set("unread::k", new byte[4 * MIB], Duration.ZERO);
                ask("GET unread::k\r\n");
                assertBounded();
            }
            assertEquals(4 * MIB, writer.get("unread::k").orElseThrow().length, "who reads is served");
        }
    }

    @Test
    @Tag(LARGE_HEAP)
    void replies_that_nobody_reads_do_not_fill_the_memory_of_buffers_however_large_the_heap_is()
            throws IOException, InterruptedException {
        try (DshmConnection writer = node.connect()) {
            writer.set("unread::k", new byte[64 * 1024], Duration.ZERO);
        }
        for (int i = 0; i < SILENT; i++) {
            ask("GET unread::k\r\n".repeat(500));
            if (i % 150 == 0) {
                assertBounded();
                bystander.awaitMore(20);
            }
        }
        assertBounded();
    }

    /** All of them are sent the same array, each in pieces of its own. */
    @Test
    @Tag(LARGE_HEAP)
    void a_session_that_many_ask_for_and_nobody_reads_does_not_fill_the_memory_of_buffers()
            throws IOException, InterruptedException {
        String session = "s".repeat(SESSION_BYTES);
        assertEquals("OK\n", Sharedance.ask(node.sharedancePort(), Sharedance.store("unread", session)));
        for (int i = 0; i < SILENT; i++) {
            BareConnection connection = node.connectBareToSharedance(16 * 1024);
            silent.add(connection);
            connection.socket().getOutputStream().write(Sharedance.fetch("unread"));
            if (i % 150 == 0) {
                assertBounded();
                bystander.awaitMore(20);
            }
        }
        assertBounded();
    }

    private void assertBounded() throws IOException {
        long held = node.statusNumber("replyMemoryBytes");
        assertTrue(held <= REPLIES_MAX + INEXACT, () -> "held: " + held);
    }

    private void ask(String requests) throws IOException {
        BareConnection connection = node.connectBare(16 * 1024);
        silent.add(connection);
        connection.socket().getOutputStream().write(requests.getBytes(US_ASCII));
    }
}
