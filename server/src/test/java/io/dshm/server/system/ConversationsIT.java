package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.dshm.proto.text.Conversation;
import java.io.IOException;
import java.io.PushbackInputStream;
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

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
    }

    static List<Conversation> conversations() throws IOException {
        // Where auth is on, who has named a wrong user hears of nothing else; UsersIT has that.
        return Conversation.loadAll(Path.of("../proto/conversations")).stream()
                .filter(conversation -> !(Secured.ON && conversation.name().equals("auth")))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void goes_as_written_through_every_node(Conversation conversation) throws IOException, InterruptedException {
        for (NodeProcess node : cluster.nodes()) {
            replay(conversation, node);
        }
    }

    /** The last number in the reply that nobody could foretell, or the one that there was before. */
    private static String receive(Conversation.Receive receive, String before, PushbackInputStream in, NodeProcess node)
            throws IOException {
        String number = before;
        List<byte[]> pieces = receive.pieces();
        for (int i = 0; i < pieces.size(); i++) {
            if (i > 0) {
                number = readDigits(in);
                assertFalse(number.isEmpty(), "a number");
            }
            String expected = new String(pieces.get(i), StandardCharsets.ISO_8859_1);
            byte[] piece = in.readNBytes(pieces.get(i).length);
            assertEquals(expected, new String(piece, StandardCharsets.ISO_8859_1), () -> "through " + node);
        }
        return number;
    }

    private static String readDigits(PushbackInputStream in) throws IOException {
        StringBuilder digits = new StringBuilder();
        int character = in.read();
        while (character >= '0' && character <= '9') {
            digits.append((char) character);
            character = in.read();
        }
        in.unread(character);
        return digits.toString();
    }

    private static void replay(Conversation conversation, NodeProcess node) throws IOException, InterruptedException {
        try (Socket socket = node.connectBare().socket()) {
            PushbackInputStream in = new PushbackInputStream(socket.getInputStream());
            String number = "";
            for (Conversation.Step step : conversation.steps()) {
                if (step instanceof Conversation.Send send) {
                    socket.getOutputStream().write(send.bytes(number));
                } else if (step instanceof Conversation.Receive receive) {
                    number = receive(receive, number, in, node);
                } else if (step instanceof Conversation.Closed) {
                    assertEquals(-1, in.read(), "nothing more comes, and the connection is closed");
                } else if (step instanceof Conversation.Pause pause) {
                    Await.pause(Duration.ofMillis(pause.millis()));
                }
            }
        }
    }
}
