package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.replication.jraft.HalfFolderException;
import io.dshm.server.system.Damage;
import io.dshm.server.system.NodeProcess;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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
    void it_keeps_the_seed_of_the_hashes_and_a_folder_of_an_older_release_gets_one() throws IOException {
        long seed;
        try (NodeFolder folder = open("c", "n1")) {
            seed = folder.keySeed();
        }
        try (NodeFolder folder = open("c", "n1")) {
            assertEquals(seed, folder.keySeed());
        }
        withKeySeed(null);
        try (NodeFolder folder = open("c", "n1")) {
            assertNotEquals(seed, folder.keySeed());
            seed = folder.keySeed();
        }
        try (NodeFolder folder = open("c", "n1")) {
            assertEquals(seed, folder.keySeed());
        }
        withKeySeed("damaged");
        assertHalf("node.properties");
    }

    private void withKeySeed(@Nullable String seed) throws IOException {
        Path file = data().resolve("node.properties");
        String others = Files.readAllLines(file).stream()
                .filter(line -> !line.startsWith("key-seed="))
                .collect(Collectors.joining("\n", "", "\n"));
        Files.writeString(file, others + (seed == null ? "" : "key-seed=" + seed + "\n"));
    }

    @Test
    void it_is_refused_to_another_node_or_cluster() throws IOException {
        open("c", "n1").close();
        assertRefused("belongs to node n1, not n2", "c", "n2");
        assertRefused("belongs to cluster c, not d", "d", "n1");
    }

    private Path data() {
        return parent.resolve("data");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)), LinkOption.NOFOLLOW_LINKS);
            }
        }
    }

    private void assertHalf(String named) {
        for (int start = 0; start < 2; start++) {
            HalfFolderException refused = assertThrows(HalfFolderException.class, () -> open("c", "n1"));
            String said = String.valueOf(refused.getMessage());
            assertTrue(said.contains(data().resolve(named) + " "), said);
            assertTrue(said.contains("delete the whole folder " + data()), said);
        }
    }

    /** Every combination of the parts but none and all. */
    static List<Set<String>> parts() {
        List<String> all = List.of("node.properties", "progress", "raft-segments", "meta", "snapshot");
        return IntStream.range(1, (1 << all.size()) - 1)
                .mapToObj(bits -> IntStream.range(0, all.size())
                        .filter(i -> (bits & (1 << i)) != 0)
                        .mapToObj(all::get)
                        .collect(Collectors.toCollection(() -> (Set<String>) new LinkedHashSet<String>())))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("parts")
    void a_folder_without_some_of_its_parts_is_refused(Set<String> gone) throws IOException {
        open("c", "n1").close();
        for (String part : gone) {
            NodeProcess.deleteTree(data().resolve(part));
        }
        if (gone.containsAll(Set.of("node.properties", "raft-segments", "meta", "snapshot"))) {
            // The file that tells older releases is no data; what is left of the rest says what is missing.
            assertHalf("node.properties");
        } else {
            assertHalf(
                    gone.contains("node.properties")
                            ? "node.properties"
                            : Stream.of("raft-segments", "meta", "snapshot", "progress")
                                    .filter(gone::contains)
                                    .findFirst()
                                    .orElseThrow());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"raft-segments", "meta", "snapshot"})
    void a_part_that_was_emptied_is_refused(String part) throws IOException {
        open("c", "n1").close();
        NodeProcess.deleteTree(data().resolve(part));
        Files.createDirectories(data().resolve(part));
        assertHalf(part);
    }

    @ParameterizedTest
    @ValueSource(strings = {"raft-segments", "meta", "snapshot", "progress"})
    void a_part_of_another_node_is_refused(String part) throws IOException {
        open("c", "n1").close();
        NodeFolder.open(parent.resolve("other"), "c", "n2").close();
        NodeProcess.deleteTree(data().resolve(part));
        copy(parent.resolve("other").resolve(part), data().resolve(part));
        assertHalf(part);
    }

    @Test
    void an_older_copy_of_the_identity_is_refused() throws IOException {
        open("c", "n1").close();
        Path copy = parent.resolve("copy");
        Files.copy(data().resolve("node.properties"), copy);
        open("c", "n1").close();
        Files.copy(copy, data().resolve("node.properties"), StandardCopyOption.REPLACE_EXISTING);
        assertHalf("node.properties");
    }

    @Test
    void progress_that_is_damaged_is_refused() throws IOException {
        open("c", "n1").close();
        Damage.flipByte(data().resolve("progress"));
        assertHalf("progress");
    }

    /** As commit 4d5bd5c leaves it. */
    private void releaseBefore(int starts) throws IOException {
        for (String part : List.of("log", "meta", "snapshot")) {
            Files.createDirectories(data().resolve(part));
        }
        Properties properties = new Properties();
        Path file = data().resolve("node.properties");
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            }
        }
        properties.putAll(Map.of("cluster", "c", "node", "n1", "joining", "false", "starts", "" + starts));
        properties.putIfAbsent("folder", "5");
        try (Writer writer = Files.newBufferedWriter(file)) {
            properties.store(writer, null);
        }
    }

    @Test
    void the_folder_of_the_release_before_is_taken_over_and_that_release_can_go_on_with_it() throws IOException {
        releaseBefore(3);
        Files.writeString(data().resolve("log").resolve("a"), "entries");
        open("c", "n1").close();
        assertEquals("entries", Files.readString(data().resolve("raft-log").resolve("a")));
        assertEquals("entries", Files.readString(data().resolve("log").resolve("a")), "by the old name, too");
        open("c", "n1").close();

        releaseBefore(6);
        Files.delete(data().resolve("progress"));
        try (NodeFolder folder = open("c", "n1")) {
            assertEquals(7, folder.starts());
            assertEquals(5, folder.id());
        }
        NodeProcess.deleteTree(data().resolve("meta"));
        assertHalf("meta");
    }

    @ParameterizedTest
    @ValueSource(strings = {"log", "meta"})
    void a_half_folder_of_the_release_before_is_not_taken_over(String part) throws IOException {
        releaseBefore(3);
        NodeProcess.deleteTree(data().resolve(part));
        assertHalf(part.equals("log") ? "raft-log" : part);
    }

    @Test
    void a_log_without_an_identity_is_refused() throws IOException {
        Files.createDirectories(data().resolve("log"));
        assertHalf("node.properties");
    }

    @Test
    void the_folder_says_what_may_not_be_deleted() throws IOException {
        open("c", "n1").close();
        assertTrue(Files.readString(data().resolve("README")).contains("Never delete"));
    }

    @Test
    void a_restored_folder_founds_a_cluster() throws IOException {
        for (String part : List.of("raft-segments", "meta", "snapshot")) {
            Files.createDirectories(data().resolve(part));
        }
        assertHalf("node.properties");
        NodeFolder.found(data(), "c", "n1");
        try (NodeFolder folder = open("c", "n1")) {
            assertEquals(1, folder.starts());
            assertTrue(folder.isDecided());
            assertFalse(folder.isJoining());
        }
    }
}
