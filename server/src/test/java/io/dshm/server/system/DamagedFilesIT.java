package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.server.replication.log.LogDamage;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node whose files are not what it wrote does not start: it could only serve wrongly. */
class DamagedFilesIT {

    private static final int WRITES = 200;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void when_a_byte_of_a_snapshot_is_flipped_then_the_node_stops_and_names_the_file()
            throws IOException, InterruptedException {
        NodeProcess node = processes.newNode().with("--snapshot-log-bytes", "4096");
        write(node);
        Await.until("a snapshot is written", () -> node.log().contains("snapshot written"));
        node.terminate();
        assertEquals(0, node.awaitEnd());
        Path file = Damage.largest(node.data().resolve("snapshot"), ".dshm").orElseThrow();
        Damage.flipByte(file);
        node.start();
        assertEquals(70, node.awaitEnd());
        assertTrue(node.log().contains("snapshot file " + file + " "), "the log names the file");
    }

    @Test
    void when_a_byte_of_the_log_is_flipped_then_the_node_does_not_forget_what_follows_but_refuses_to_start()
            throws IOException, InterruptedException {
        NodeProcess node = processes.newNode();
        write(node);
        node.kill();
        Path file = LogDamage.flipByte(node.data().resolve("raft-segments")).orElseThrow();
        node.start();
        assertEquals(70, node.awaitEnd());
        assertTrue(node.log().contains(file + " is damaged at offset "), "the log names the file, and the place");
    }

    private static void write(NodeProcess node) throws IOException, InterruptedException {
        node.start();
        node.awaitHealthy();
        try (DshmConnection connection = node.connect()) {
            for (int i = 0; i < WRITES; i++) {
                connection.incr("damage::n", 1);
            }
        }
    }
}
