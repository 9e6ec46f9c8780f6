package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.snapshot.SnapshotFormat;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.store.Store;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotTest {

    @TempDir
    Path folder;

    private static StateView.StateDigest digest(StateMachine stateMachine) {
        try (StateView view = stateMachine.view()) {
            return view.digest();
        }
    }

    private static List<SnapshotWriter.Part> save(StateMachine stateMachine, Path to, long partBytes)
            throws IOException {
        Files.createDirectories(to);
        try (StateView view = stateMachine.view()) {
            return new SnapshotWriter(to, view, partBytes).write();
        }
    }

    private static StateMachine load(Path from) throws IOException {
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        stateMachine.load(new SnapshotReader(from));
        return stateMachine;
    }

    /** A few thousand random commands: all kinds, time passing, uploads begun, repeats, settlements. */
    private static void write(Log log, Random random, int entries) {
        log.append(Log.switchFormat(Formats.BOUNDS));
        CommandRecord.Builder last = log.next(Log.incr("k", 1, 0));
        log.append(last);
        for (int i = 0; i < entries; i++) {
            log.passSeconds(random.nextInt(20) / 10.0);
            String key = (random.nextBoolean() ? "r::" : "") + random.nextInt(200);
            CommandRecord.Builder command = random.nextInt(8) == 0
                    ? take(random)
                    : random.nextBoolean() ? plain(key, i, random) : typed(key, i, random);
            if (random.nextInt(4) == 0) {
                command.setClient(random.nextInt(5)).setClientSequence(1 + i / 2 + random.nextInt(4));
            }
            CommandRecord.Builder numbered = log.next(command);
            switch (random.nextInt(10)) {
                case 0 -> log.append(last, numbered);
                case 1 -> {
                    log.append();
                    log.append(numbered);
                }
                case 2 -> {
                    log.settle(Math.max(1, last.getSequence() - 20));
                    log.append(numbered);
                }
                default -> log.append(numbered);
            }
            last = numbered;
        }
    }

    private static CommandRecord.Builder take(Random random) {
        if (random.nextInt(3) == 0) {
            String holder = "h" + random.nextInt(4);
            return random.nextInt(4) == 0
                    ? Log.release("permits", holder)
                    : Log.acquire("permits", 3, holder, 1 + random.nextInt(20_000));
        }
        LimitAlgorithm algorithm = LimitAlgorithm.forNumber(random.nextInt(5));
        int limit = 5 + random.nextInt(2);
        String key = "take" + algorithm + random.nextInt(3);
        CommandRecord.Builder some = Log.take(key, algorithm, limit, 7_000, 1 + random.nextInt(3));
        return switch (random.nextInt(8)) {
            case 0 -> Log.reserve(some, "x" + random.nextInt(3), 1 + random.nextInt(9_000));
            case 1 -> Log.settle(key, "x" + random.nextInt(3), random.nextInt(4));
            case 2 -> Log.grant(some, "n" + random.nextInt(3), 1);
            case 3 -> Log.giveBack(key, "n" + random.nextInt(3), random.nextInt(4));
            default -> Log.take(key, algorithm, limit, 7_000, random.nextInt(5) - 1);
        };
    }

    private static CommandRecord.Builder plain(String key, int i, Random random) {
        return switch (random.nextInt(12)) {
            case 0, 1, 2 -> Log.set(key, "v" + i, random.nextInt(4) * 5);
            case 3, 4, 5 -> Log.incr(key, random.nextInt(9) - 4, 0);
            case 6 -> Log.touch(key, random.nextInt(3) * 5);
            case 7 -> Log.delete(key);
            case 8, 9 -> Log.rateLimiter("l" + key, 3, 7);
            case 10 -> Log.chunk(random.nextInt(5), 9, random.nextInt(3) * 3, "abc");
            default -> random.nextInt(20) == 0 ? Log.flushAll("r") : Log.incr(key, 1, 0);
        };
    }

    /** What is kept after its deadline is about half of it, since entries live for as long as that here. */
    private static CommandRecord.Builder typed(String key, int i, Random random) {
        return switch (random.nextInt(12)) {
            case 0 -> Log.put(key, "v" + i, random.nextInt(4) * 20);
            case 1 ->
                Log.put(
                        key,
                        Log.string("v" + i).setFlags(random.nextInt()),
                        random.nextInt(4) * 20,
                        WriteCondition.newBuilder().setAbsent(true).build());
            case 2 -> Log.put(key, random.nextInt(), random.nextInt(4) * 20);
            case 3 -> Log.incrNumber(key, 0.5, i, random.nextInt(4) * 20);
            case 4, 5 -> Log.push("list" + random.nextInt(5), random.nextBoolean(), "e" + i);
            case 6 -> Log.push("list" + random.nextInt(5), random.nextBoolean(), i);
            case 7 -> Log.pop("list" + random.nextInt(5), random.nextBoolean());
            case 8 -> Log.expire(key, random.nextInt(3) * 20);
            case 9 -> Log.purge(key, Integer.toString(random.nextInt(200)));
            case 10 ->
                Log.remove(
                        key,
                        WriteCondition.newBuilder()
                                .setVersion(1 + random.nextInt(i + 1))
                                .build());
            default -> Log.multi(Log.incr(key, 1, 0), Log.pop("list" + random.nextInt(5), true), Log.put(key, i, 20));
        };
    }

    @Test
    void whatever_the_history_a_node_that_loaded_a_snapshot_goes_on_like_one_that_did_not() throws IOException {
        long seed = Long.getLong("dshm.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            Log log = new Log();
            write(log, random, 400);
            long at = 1 + random.nextLong(log.size());
            StateMachine original = StateMachineTest.newStateMachine();
            log.applyTo(original, at);
            Path saved = folder.resolve("round" + round);
            save(original, saved, random.nextBoolean() ? 512 : SnapshotWriter.PART_BYTES);

            StateMachine copy = load(saved);
            String story = "seed " + seed + ", round " + round + ", snapshot at " + at;
            assertEquals(digest(original), digest(copy), story);
            for (long index = at + 1; index <= log.size(); index++) {
                String expected = List.of(log.applyTo(original, index)).toString();
                assertEquals(expected, List.of(log.applyTo(copy, index)).toString(), story + ", index " + index);
            }
            assertEquals(digest(original), digest(copy), story);
        }
    }

    @Test
    void a_state_of_many_small_and_some_large_values_is_loaded_whole() throws IOException {
        Log log = new Log();
        String large = "x".repeat(200_000);
        for (int i = 0; i < 1_000; i++) {
            log.append(log.next(Log.set("k" + i, i % 300 == 7 ? large + i : "v" + i, 0)));
        }
        StateMachine original = StateMachineTest.newStateMachine();
        log.applyTo(original);
        save(original, folder, SnapshotWriter.PART_BYTES);
        StateMachine copy = load(folder);
        assertEquals(1_000, copy.store().entryCount());
        assertEquals(digest(original), digest(copy));
    }

    @Test
    void when_the_state_differs_then_the_digest_does() {
        Log log = new Log();
        StateMachine one = StateMachineTest.newStateMachine();
        StateMachine other = StateMachineTest.newStateMachine();
        log.append(log.next(Log.set("k", "v", 0)));
        log.applyTo(one);
        log.applyTo(other);
        assertEquals(digest(one), digest(other));
        Log different = new Log();
        different.append(different.next(Log.set("k", "w", 0)));
        StateMachine third = StateMachineTest.newStateMachine();
        different.applyTo(third);
        assertTrue(digest(one).digest() != digest(third).digest());
    }

    @Test
    void when_any_byte_of_a_file_is_flipped_then_it_is_not_loaded_and_the_message_names_the_file() throws IOException {
        Log log = new Log();
        write(log, new Random(1), 60);
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        log.applyTo(stateMachine);
        SnapshotWriter.Part part =
                save(stateMachine, folder, SnapshotWriter.PART_BYTES).get(0);
        Path file = folder.resolve(SnapshotFormat.fileName(0));
        byte[] good = Files.readAllBytes(file);
        assertNull(SnapshotWriter.Part.damage(file, part.checksum()));
        assertNotNull(SnapshotWriter.Part.damage(file, ""), "a member may send anything");
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x10;
            Files.write(file, bad);
            CorruptStateException refused = assertThrows(CorruptStateException.class, () -> load(folder));
            assertTrue(String.valueOf(refused.getMessage()).contains(file.toString()), refused::toString);
            assertNotNull(SnapshotWriter.Part.damage(file, part.checksum()), "who copies it sees that, too");
        }
    }

    @Test
    void when_a_file_is_cut_off_or_missing_then_nothing_is_loaded() throws IOException {
        Log log = new Log();
        write(log, new Random(2), 200);
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        log.applyTo(stateMachine);
        List<SnapshotWriter.Part> parts = save(stateMachine, folder, 512);
        assertTrue(parts.size() > 1, "the snapshot has several files");
        Path last = folder.resolve(parts.get(parts.size() - 1).name());
        String checksum = parts.get(parts.size() - 1).checksum();
        byte[] good = Files.readAllBytes(last);
        for (int length = 0; length < good.length; length++) {
            Files.write(last, java.util.Arrays.copyOf(good, length));
            assertThrows(CorruptStateException.class, () -> load(folder));
            assertNotNull(SnapshotWriter.Part.damage(last, checksum));
        }
        Files.copy(folder.resolve(parts.get(0).name()), last, StandardCopyOption.REPLACE_EXISTING);
        assertNotNull(SnapshotWriter.Part.damage(last, checksum), "a whole file, and another one");
        Files.delete(last);
        assertThrows(CorruptStateException.class, () -> load(folder));
    }

    /** A snapshot whose first file is good, so that it is read, and whose others are missing. */
    private void saveHalf(StateMachine stateMachine) throws IOException {
        List<SnapshotWriter.Part> parts = save(stateMachine, folder, 512);
        assertTrue(parts.size() > 1, "the snapshot has several files");
        Files.delete(folder.resolve(parts.get(1).name()));
    }

    @Test
    void when_a_snapshot_is_not_loaded_then_nothing_is_shown_and_nothing_goes_on() throws IOException {
        Log log = new Log();
        write(log, new Random(3), 200);
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        log.applyTo(stateMachine);
        saveHalf(stateMachine);
        assertFalse(StateMachine.isLoading(stateMachine.store()));
        assertThrows(CorruptStateException.class, () -> stateMachine.load(new SnapshotReader(folder)));
        assertTrue(StateMachine.isLoading(stateMachine.store()));
        assertEquals(0, stateMachine.store().entryCount());
        assertNull(stateMachine.look(new byte[] {'k'}, 1));
        log.append(log.next(Log.incr("c", 2, 0)));
        assertThrows(IllegalStateException.class, () -> log.applyTo(stateMachine));
        assertEquals(0, stateMachine.store().entryCount());
    }

    @Test
    void while_a_snapshot_is_loaded_the_old_state_is_not_held() throws IOException {
        Log log = new Log();
        write(log, new Random(4), 200);
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        log.applyTo(stateMachine);
        saveHalf(stateMachine);
        WeakReference<Store> old = new WeakReference<>(stateMachine.store());
        assertThrows(CorruptStateException.class, () -> stateMachine.load(new SnapshotReader(folder)));
        for (int i = 0; i < 10 && old.get() != null; i++) {
            System.gc();
        }
        assertNull(old.get());
    }

    @Test
    void when_a_snapshot_is_loaded_over_another_state_then_only_the_snapshot_counts() throws IOException {
        Log log = new Log();
        write(log, new Random(5), 100);
        StateMachine original = StateMachineTest.newStateMachine();
        log.applyTo(original);
        save(original, folder, 512);
        Log other = new Log();
        write(other, new Random(6), 300);
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        other.applyTo(stateMachine);
        stateMachine.load(new SnapshotReader(folder));
        assertEquals(digest(original), digest(stateMachine));
        assertFalse(StateMachine.isLoading(stateMachine.store()));
    }
}
