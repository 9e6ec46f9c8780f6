package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.replication.jraft.KeptEntries;
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

/** A folder of a node, whose log may have lost its end. */
class RecoverTest {

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void makeFolder() throws IOException {
        Path backup = BackupFiles.write(folder, BackupFiles.someState());
        int restored = Restore.run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                backup.toString(),
                "--members",
                "n1=127.0.0.1:7321",
                "--node",
                "n1",
                "--cluster",
                "left",
                "--data-dir",
                data().toString());
        assertEquals(0, restored, err::toString);
    }

    private Path data() {
        return folder.resolve("data");
    }

    private int recover(String... more) {
        List<String> words = new ArrayList<>(List.of("--data-dir", data().toString()));
        words.addAll(List.of(more));
        return Recover.run(new PrintWriter(out, true), new PrintWriter(err, true), words.toArray(new String[0]));
    }

    private String[] toNewFolder(String... more) {
        List<String> words = new ArrayList<>(List.of(
                "--to", folder.resolve("new").toString(), "--member", "n1=127.0.0.1:7321", "--confirm", "left"));
        words.addAll(List.of(more));
        return words.toArray(new String[0]);
    }

    /** The log goes as far as the snapshot, and the node had gone further. */
    private void loseTheEnd() throws IOException {
        long owner;
        try (NodeFolder opened = NodeFolder.open(data(), "left", "n1")) {
            owner = opened.id();
        }
        KeptEntries.say(data(), owner, 5_000_000);
    }

    @Test
    void a_state_that_the_heap_cannot_hold_is_refused_with_the_heap_that_can() {
        int status = new OfflineCommand("dshm recover", new Recover(1_000), StartFailure::reason)
                .run(new PrintWriter(out, true), new PrintWriter(err, true), "--show", "--data-dir", data().toString());
        assertEquals(OfflineCommand.REFUSED, status);
        assertTrue(err.toString().contains("DSHM_JAVA_OPTS"), err::toString);
    }

    @Test
    void a_whole_folder_is_recovered() {
        assertEquals(0, recover("--show"), err::toString);
        assertFalse(out.toString().contains("damaged"), out::toString);
        assertTrue(out.toString().contains("which is of term 1\n"), "the snapshot's: nothing is behind it");
        assertEquals(0, recover(toNewFolder()), err::toString);
        assertTrue(Files.exists(folder.resolve("new").resolve("meta")));
    }

    @Test
    void a_log_that_lacks_its_end_is_said_and_refused() throws IOException {
        loseTheEnd();
        assertEquals(0, recover("--show"), err::toString);
        assertTrue(
                out.toString().contains("The log is damaged: this node had kept entries up to index 5000000."),
                out::toString);
        assertEquals(3, recover(toNewFolder()));
        assertTrue(err.toString().contains("the log lacks its end"), err::toString);
        assertFalse(Files.exists(folder.resolve("new")));
    }

    @Test
    void it_is_recovered_by_those_who_know_that() throws IOException {
        loseTheEnd();
        assertEquals(0, recover(toNewFolder("--without-its-end")), err::toString);
        assertTrue(Files.exists(folder.resolve("new").resolve("meta")));
    }
}
