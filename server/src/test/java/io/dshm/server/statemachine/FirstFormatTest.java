package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.snapshot.SnapshotFormat;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * As long as the cluster's format is the first one, this version does with every log entry what commit 4d5bd5c does, and reads its
 * snapshots. What that version did is kept in {@code formats/1}: a log of random commands of all kinds with registrations that
 * overtake each other and limits whose numbers change; the digest and the outcomes after each of its entries; and a snapshot. Those
 * files never change: where this test fails, the change has to wait for the switch to a newer format. {@code UpgradeIT}
 * shows the same with real nodes, where the repository's history is there.
 */
class FirstFormatTest {

    private static final Path FILES = Path.of("src/test/resources/formats/1");

    @TempDir
    Path folder;

    private final List<byte[]> entries = new ArrayList<>();

    /** Of each entry: its index, the digest after it, and the outcomes of its records. */
    private final List<String> lines;

    FirstFormatTest() throws IOException {
        lines = Files.readAllLines(FILES.resolve("outcomes"));
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(Files.readAllBytes(FILES.resolve("log"))));
        while (in.available() > 0) {
            entries.add(in.readNBytes(in.readInt()));
        }
    }

    /** Applies what follows, and compares it line by line. */
    private void applyRest(StateMachine stateMachine) {
        for (long index = stateMachine.appliedIndex() + 1; index <= entries.size(); index++) {
            byte[] entry = entries.get((int) index - 1);
            StringBuilder line = new StringBuilder();
            for (Outcome outcome : stateMachine.apply(index, ByteBuffer.wrap(entry))) {
                byte[] wire = outcome.toWire(0).toByteArray();
                line.append(' ').append(Base64.getEncoder().encodeToString(wire));
            }
            try (StateView view = stateMachine.view()) {
                line.insert(0, index + " " + Long.toHexString(view.digest().digest()));
            }
            assertEquals(lines.get((int) index - 1), line.toString());
        }
    }

    private static StateMachine load(Path snapshot) throws IOException {
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        stateMachine.load(new SnapshotReader(snapshot));
        return stateMachine;
    }

    @Test
    void every_entry_has_the_outcomes_and_the_state_that_it_had() {
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        applyRest(stateMachine);
        assertEquals(entries.size(), stateMachine.appliedIndex());
        assertEquals(Formats.FIRST, stateMachine.format());
    }

    @Test
    void after_its_snapshot_everything_goes_on_as_it_did() throws IOException {
        StateMachine stateMachine = load(FILES.resolve("snapshot"));
        assertTrue(stateMachine.appliedIndex() > 0);
        applyRest(stateMachine);
    }

    @Test
    void a_snapshot_of_this_version_is_one_of_the_first_format() throws IOException {
        StateMachine stateMachine = load(FILES.resolve("snapshot"));
        try (StateView view = stateMachine.view()) {
            assertEquals(Formats.FIRST, view.header().getFormatVersion());
            new SnapshotWriter(folder, view).write();
        }
        assertEquals(
                Files.size(FILES.resolve("snapshot").resolve(SnapshotFormat.fileName(0))),
                Files.size(folder.resolve(SnapshotFormat.fileName(0))),
                "nothing is added that the nodes of the first format would lose");
        applyRest(load(folder));
    }
}
