package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.text.Conversation;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every golden conversation, held with a live cluster, through its leader and through its followers. Each has a region of
 * its own, so several go on at the same time.
 */
@Execution(ExecutionMode.CONCURRENT)
class ConversationsIT {

    private static final int REPLY_MILLIS_MAX = 30_000;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
    }

    static List<Conversation> conversations() throws IOException {
        return Conversation.loadAll(Path.of("../proto/conversations"));
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void goes_as_written_through_every_node(Conversation conversation) throws IOException, InterruptedException {
        for (NodeProcess node : cluster.nodes()) {
            replay(conversation, node);
        }
    }

    private static void replay(Conversation conversation, NodeProcess node) throws IOException, InterruptedException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
            socket.setSoTimeout(REPLY_MILLIS_MAX);
            InputStream in = socket.getInputStream();
            for (Conversation.Step step : conversation.steps()) {
                if (step instanceof Conversation.Send send) {
                    socket.getOutputStream().write(send.bytes());
                } else if (step instanceof Conversation.Receive receive) {
                    String expected = new String(receive.bytes(), StandardCharsets.ISO_8859_1);
                    byte[] reply = in.readNBytes(receive.bytes().length);
                    assertEquals(expected, new String(reply, StandardCharsets.ISO_8859_1), () -> "through " + node);
                } else if (step instanceof Conversation.Closed) {
                    assertEquals(-1, in.read(), "nothing more comes, and the connection is closed");
                } else if (step instanceof Conversation.Pause pause) {
                    Await.pause(Duration.ofMillis(pause.millis()));
                }
            }
        }
    }
}
