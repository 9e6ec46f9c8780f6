package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.statemachine.BackupFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestoreTest {

    private static final String MEMBERS = "m1=h1:7001,m2=h2:7002:7112";

    @TempDir
    Path folder;

    private Path backup = Path.of("");
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void makeBackup() throws IOException {
        backup = BackupFiles.write(folder, BackupFiles.someState());
    }

    private Path data(String node) {
        return folder.resolve(node + "-data");
    }

    private int restore(String node, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                backup.toString(),
                "--members",
                MEMBERS,
                "--node",
                node,
                "--data-dir",
                data(node).toString()));
        arguments.addAll(List.of(more));
        return Restore.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments.toArray(new String[0]));
    }

    private String cluster(String node) throws IOException {
        return Files.readAllLines(data(node).resolve("node.properties")).stream()
                .filter(line -> line.startsWith("cluster="))
                .findFirst()
                .orElseThrow()
                .substring("cluster=".length());
    }

    private void assertRefused(int status, String why, String node, String... more) {
        assertEquals(status, restore(node, more), err::toString);
        assertTrue(err.toString().contains(why), err::toString);
        assertFalse(Files.exists(data(node)), "nothing was written");
    }

    @Test
    void all_nodes_get_the_same_new_cluster() throws IOException {
        assertEquals(0, restore("m1"), err::toString);
        assertEquals(0, restore("m2"), err::toString);
        assertTrue(cluster("m1").matches("old-r[0-9a-f]{8}"), cluster("m1"));
        assertEquals(cluster("m1"), cluster("m2"));
        assertTrue(out.toString().contains("cluster=" + cluster("m1")), out::toString);
        assertTrue(Files.exists(data("m1").resolve("meta").resolve("raft_meta")));
    }

    @Test
    void what_was_restored_in_another_way_is_another_cluster() throws IOException {
        restore("m1");
        restore("m2", "--ttl", "remaining");
        assertNotEquals(cluster("m1"), cluster("m2"));
    }

    @Test
    void the_cluster_can_be_named_but_not_like_the_old_one() throws IOException {
        assertEquals(0, restore("m1", "--cluster", "next"), err::toString);
        assertEquals("next", cluster("m1"));
        assertRefused(2, "needs another one", "m2", "--cluster", "old");
        assertRefused(2, "not among the members", "m3");
        assertRefused(2, "1 to 64 letters", "m2", "--cluster", "a b");
    }

    @Test
    void a_folder_that_holds_anything_is_refused_and_left_as_it_is() throws IOException {
        Files.createDirectories(data("m1"));
        assertEquals(0, restore("m1"), "an empty folder may be there");
        String before = Files.readString(data("m1").resolve("node.properties"));
        assertEquals(3, restore("m1"));
        assertTrue(err.toString().contains("is not empty"), err::toString);
        assertEquals(before, Files.readString(data("m1").resolve("node.properties")));
    }

    @Test
    void a_backup_that_is_damaged_cut_off_or_missing_is_refused_and_nothing_is_written() throws IOException {
        byte[] good = Files.readAllBytes(backup);
        byte[] bad = good.clone();
        bad[bad.length / 3] ^= 1;
        Files.write(backup, bad);
        assertRefused(3, backup + ", offset ", "m1");
        Files.write(backup, java.util.Arrays.copyOf(good, good.length - 1));
        assertRefused(3, "is cut off", "m1");
        Files.delete(backup);
        assertRefused(3, "no such file", "m1");
    }

    @Test
    void a_region_that_is_not_there_is_refused() {
        assertRefused(3, "no entry in the region(s) [sessions]", "m1", "--regions", "a,sessions");
        assertEquals(0, restore("m1", "--regions", "a,:"), err::toString);
    }
}
