package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeFolderTest {

    @TempDir
    Path parent;

    private NodeFolder open(String cluster, String node) throws IOException {
        return NodeFolder.open(parent.resolve("data"), cluster, node);
    }

    private void assertRefused(String expected, String cluster, String node) {
        IOException refused = assertThrows(IOException.class, () -> open(cluster, node));
        assertTrue(String.valueOf(refused.getMessage()).contains(expected), refused::toString);
    }

    @Test
    void it_remembers_whose_it_is_and_counts_the_starts() throws IOException {
        long id;
        try (NodeFolder folder = open("c", "n1")) {
            id = folder.id();
            assertEquals(1, folder.starts());
            assertFalse(folder.isDecided());
            folder.setJoining(true);
        }
        try (NodeFolder folder = open("c", "n1")) {
            assertEquals(id, folder.id());
            assertEquals(2, folder.starts());
            assertTrue(folder.isDecided());
            assertTrue(folder.isJoining());
        }
    }

    @Test
    void it_is_refused_to_another_node_or_cluster() throws IOException {
        open("c", "n1").close();
        assertRefused("belongs to node n1, not n2", "c", "n2");
        assertRefused("belongs to cluster c, not d", "d", "n1");
    }

    @Test
    void a_log_without_an_identity_is_refused() throws IOException {
        Files.createDirectories(parent.resolve("data").resolve("log"));
        assertRefused("moved as a whole", "c", "n1");
    }
}
