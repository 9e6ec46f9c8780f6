package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Key;
import io.dshm.proto.snapshot.BackupWriter;
import io.dshm.proto.snapshot.SnapshotException;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.store.Entry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestoredStateTest {

    private static final RestoredState.Choice ALL = new RestoredState.Choice(Set.of(), true, false);

    @TempDir
    Path folder;

    private int restored;

    private RestoredState verify(Path backup, RestoredState.Choice choice) throws IOException {
        return RestoredState.verify(() -> BackupFiles.open(backup), choice);
    }

    private StateMachine restore(Path backup, RestoredState.Choice choice) throws IOException {
        Path to = Files.createDirectories(folder.resolve("restored" + restored++));
        new SnapshotWriter(to, verify(backup, choice)).write();
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        stateMachine.load(new SnapshotReader(to));
        return stateMachine;
    }

    private static @Nullable Entry get(StateMachine stateMachine, String key) {
        Key wanted = Key.of(key);
        return stateMachine.store().get(wanted.bytes(), wanted.hash());
    }

    private static long digest(StateMachine stateMachine) {
        try (StateView view = stateMachine.view()) {
            return view.digest().digest();
        }
    }

    @Test
    void all_entries_come_back_and_all_nodes_begin_with_the_same_state() throws IOException {
        StateMachine original = BackupFiles.someState();
        Path backup = BackupFiles.write(folder, original);
        StateMachine one = restore(backup, ALL);
        StateMachine other = restore(backup, ALL);
        assertEquals(original.store().entryCount(), one.store().entryCount());
        assertEquals(original.store().bytes(), one.store().bytes());
        assertEquals(BackupFiles.header(original), BackupFiles.header(one));
        assertEquals(digest(one), digest(other));
    }

    @Test
    void the_old_nodes_are_forgotten_and_clients_with_an_identity_are_not() throws IOException {
        StateMachine state = restore(BackupFiles.write(folder, BackupFiles.someState()), ALL);
        Log log = new Log();
        for (int i = 0; i <= state.appliedIndex(); i++) {
            log.append();
        }
        CommandRecord.Builder late =
                Log.incr("b:once", 1, 0).setOrigin(Log.ORIGIN).setSequence(1000);
        log.append(late);
        assertEquals(Outcome.UNKNOWN_ORIGIN, log.applyTo(state)[0]);
        log.append(Log.register("m1", 77, 1, 99));
        log.applyTo(state);
        log.append(Log.incr("b:once", 1, 0)
                .setOrigin(99)
                .setSequence(1)
                .setClient(5)
                .setClientSequence(9));
        Outcome again = log.applyTo(state)[0];
        log.append(Log.incr("b:once", 1, 0).setOrigin(99).setSequence(2));
        Outcome next = log.applyTo(state)[0];
        assertEquals(1, again.number(), "as before the backup");
        assertEquals(2, next.number());
    }

    @Test
    void only_the_chosen_regions_are_restored() throws IOException {
        Path backup = BackupFiles.write(folder, BackupFiles.someState());
        StateMachine a = restore(backup, new RestoredState.Choice(Set.of("a"), true, false));
        assertTrue(get(a, "a:limiter0") != null && get(a, "a:29") != null);
        assertNull(get(a, "b:0"));
        assertNull(get(a, "plain1"));
        StateMachine plain = restore(backup, new RestoredState.Choice(Set.of(""), true, false));
        assertEquals(30, plain.store().entryCount());
        IOException refused = assertThrows(
                IOException.class, () -> verify(backup, new RestoredState.Choice(Set.of("a", "c"), true, false)));
        assertTrue(String.valueOf(refused.getMessage()).contains("[c]"), refused::toString);
    }

    @Test
    void without_limiters_nothing_else_is_missing() throws IOException {
        StateMachine original = BackupFiles.someState();
        Path backup = BackupFiles.write(folder, original);
        StateMachine state = restore(backup, new RestoredState.Choice(Set.of(), false, false));
        assertNull(get(state, "a:limiter0"));
        assertEquals(original.store().entryCount() - 3, state.store().entryCount());
    }

    @Test
    void with_remaining_times_to_live_nobody_adds_the_time_since_the_backup() throws IOException {
        StateMachine original = BackupFiles.someState();
        Path backup = BackupFiles.write(folder, original);
        assertNotEquals(0, original.wallMillis());
        assertEquals(original.wallMillis(), restore(backup, ALL).wallMillis());
        StateMachine remaining = restore(backup, new RestoredState.Choice(Set.of(), true, true));
        assertEquals(0, remaining.wallMillis());
        assertEquals(original.clockMillis(), remaining.clockMillis());
    }

    @Test
    void a_damaged_backup_is_refused_before_anything_is_written() throws IOException {
        Path backup = BackupFiles.write(folder, BackupFiles.someState());
        byte[] bad = Files.readAllBytes(backup);
        bad[bad.length / 2] ^= 1;
        Files.write(backup, bad);
        SnapshotException refused = assertThrows(SnapshotException.class, () -> verify(backup, ALL));
        assertTrue(String.valueOf(refused.getMessage()).startsWith(backup + ", offset "), refused::toString);
    }

    @Test
    void a_backup_is_written_in_blocks_however_large_the_snapshot_is() throws IOException {
        Path large = folder.resolve("large");
        int blocks = 64;
        long bytes = (long) blocks * BackupWriter.DATA_BYTES_MAX;
        try (FileChannel file = FileChannel.open(
                large, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.READ)) {
            file.write(ByteBuffer.allocate(1), bytes - 1);
            List<Integer> writes = new ArrayList<>();
            BackupWriter writer = new BackupWriter(
                    new OutputStream() {
                        @Override
                        public void write(int oneByte) {
                            throw new IllegalStateException("byte by byte");
                        }

                        @Override
                        public void write(byte[] from, int offset, int length) {
                            writes.add(length);
                        }
                    },
                    BackupHead.newBuilder().setContentBytes(bytes).build());
            new SnapshotFiles(1, 1, 0, List.of(file)).copyTo(writer);
            writer.finish();
            assertEquals(3 + blocks, writes.size(), "magic, head, data and foot");
            assertTrue(writes.stream().allMatch(length -> length < 2 * BackupWriter.DATA_BYTES_MAX), writes::toString);
        }
    }
}
