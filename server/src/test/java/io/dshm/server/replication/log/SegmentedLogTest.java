package io.dshm.server.replication.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SegmentedLogTest {

    private static final int RUNS = 20;
    private static final int STEPS = 60;

    private final Random salts = new Random(5);

    private SegmentedLog open(LogFolder folder) throws IOException {
        return SegmentedLog.open(folder, ModelLog.settings(salts));
    }

    private static List<ModelLog.Entry> group(int term, int... sizes) {
        List<ModelLog.Entry> group = new ArrayList<>();
        for (int size : sizes) {
            byte[] data = new byte[size];
            Arrays.fill(data, (byte) term);
            group.add(new ModelLog.Entry(term, 1, new byte[0], data));
        }
        return group;
    }

    private void walk(LogFolder folder, long seed) throws IOException {
        Random random = new Random(seed);
        ModelLog model = new ModelLog(random);
        SegmentedLog log = open(folder);
        for (int step = 0; step < STEPS; step++) {
            model.step(log);
            if (random.nextInt(10) == 0) {
                log.close();
                log = open(folder);
                assertNull(log.tornTail());
            }
            model.check(log);
        }
        log.close();
        try (SegmentedLog read = SegmentedLog.openForReading(folder)) {
            model.check(read);
            assertThrows(IOException.class, () -> read.begin(8));
        }
    }

    @Test
    void it_holds_what_a_list_would() throws IOException {
        for (int seed = 0; seed < RUNS; seed++) {
            walk(new MemoryFolder(), seed);
        }
    }

    @Test
    void it_does_on_a_real_disk(@TempDir Path folder) throws IOException {
        walk(new DiskFolder(folder), 1);
    }

    /** Power cuts at any operation, in a start as well, one after the other. */
    private void walkWithPowerCuts(MemoryFolder begun, long seed) throws IOException {
        Random random = new Random(seed);
        ModelLog model = new ModelLog(random);
        MemoryFolder folder = begun;
        for (int cut = 0; cut < 12; cut++) {
            folder.failAfter(random.nextInt(random.nextBoolean() ? 8 : 120));
            boolean lost = false;
            try {
                SegmentedLog log = open(folder);
                model.checkAfterPowerCut(log);
                while (true) {
                    model.step(log);
                }
            } catch (MemoryFolder.PowerLost e) {
                lost = true;
            }
            assertTrue(lost);
            folder = folder.afterPowerCut(random);
        }
        model.checkAfterPowerCut(open(folder));
    }

    @Test
    void no_power_cut_loses_an_entry_or_brings_one_back() throws IOException {
        for (int seed = 0; seed < 8 * RUNS; seed++) {
            walkWithPowerCuts(new MemoryFolder(), seed);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES_ARE_NOT_SYNCED", "NAMES_ARE_NOT_SYNCED"})
    void a_log_that_forgets_something_is_found_out(MemoryFolder.Bug bug) throws IOException {
        for (int seed = 0; seed < 8 * RUNS; seed++) {
            try {
                walkWithPowerCuts(new MemoryFolder().with(bug), seed);
            } catch (AssertionError | IOException found) {
                return;
            }
        }
        throw new AssertionError(bug + " was not found");
    }

    /**
     * The first entry of a group is lost with the power, the second one is not; then another one takes the place of the first. Whatever is
     * written where the second one is may be in the page cache only.
     */
    @Test
    void what_an_unfinished_write_has_left_does_not_become_an_entry() throws IOException {
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = open(folder);
        ModelLog.append(log, 1, group(1, 900));
        ModelLog.append(log, 2, group(1, 900, 900));
        log.close();
        String name = SegmentFormat.name(1);
        int second = (int) (SegmentFormat.RECORDS_AT + SegmentedLog.bytesOf(0, 900));
        folder.change(name, second + 100);
        byte[] before = Objects.requireNonNull(folder.files().get(name));
        SegmentedLog torn = open(folder);
        assertEquals(2, torn.next());
        String said = String.valueOf(torn.tornTail());
        assertTrue(said.startsWith("/log/" + name + " ends with a write that was not finished"), said);
        ModelLog.append(torn, 2, group(2, 900));
        torn.close();
        assertEquals(3, open(folder).next());
        Map<String, byte[]> files = folder.files();
        int third = second + (int) SegmentedLog.bytesOf(0, 900);
        System.arraycopy(before, third, Objects.requireNonNull(files.get(name)), third, before.length - third);
        SegmentedLog again = open(MemoryFolder.of(files));
        assertEquals(3, again.next());
        assertEquals(2, assertNotNullRecord(again, 2).term());
        assertNull(again.tornTail());
    }

    /** Three groups, with a cut behind the first one, so that there are two segments. */
    private Map<String, byte[]> smallLog() throws IOException {
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = open(folder);
        ModelLog.append(log, 1, group(1, 10, 300));
        ModelLog.append(log, 3, group(1, 20));
        log.cutAfter(2);
        ModelLog.append(log, 3, group(2, 30, 600, 5));
        ModelLog.append(log, 6, group(2, 40));
        ModelLog.append(log, 7, group(2, 50, 700));
        log.close();
        return folder.files();
    }

    private static final long[] TERMS = {1, 1, 2, 2, 2, 2, 2, 2};

    /** The log is refused with the file's name and the offset, or whole but for the last group. */
    private void checkChanged(String name, Map<String, byte[]> files, String how) {
        try (SegmentedLog log = open(MemoryFolder.of(files))) {
            assertEquals(1, log.first(), how);
            assertTrue(log.next() == 9 || log.next() == 7 || log.next() == 8, how + " " + log.next());
            for (long index = 1; index < log.next(); index++) {
                assertEquals(
                        TERMS[(int) index - 1], assertNotNullRecord(log, index).term(), how);
            }
            if (log.next() == 9) {
                return;
            }
            // What follows the end is not taken for entries when the log goes on.
            ModelLog.append(log, log.next(), group(3, 50));
        } catch (DamagedLogException e) {
            assertTrue(
                    String.valueOf(e.getMessage()).startsWith("/log/" + name + " is damaged at offset "),
                    e::getMessage);
        } catch (IOException e) {
            throw new AssertionError(how, e);
        }
    }

    private static LogRecord assertNotNullRecord(SegmentedLog log, long index) throws IOException {
        LogRecord found = log.read(index);
        assertNotNull(found, () -> "index " + index);
        return found;
    }

    @Test
    void every_changed_byte_is_noticed() throws IOException {
        Map<String, byte[]> files = smallLog();
        assertEquals(2, files.size());
        for (String name : files.keySet()) {
            byte[] content = files.get(name);
            for (int at = 0; at < content.length; at++) {
                Map<String, byte[]> changed = new TreeMap<>(files);
                byte[] bytes = content.clone();
                bytes[at] ^= (byte) (1 << at % 8);
                changed.put(name, bytes);
                checkChanged(name, changed, name + " at " + at);
            }
        }
    }

    @Test
    void only_the_last_group_can_be_cut_off_without_notice() throws IOException {
        Map<String, byte[]> files = smallLog();
        for (String name : files.keySet()) {
            byte[] content = files.get(name);
            boolean isLast = name.equals(SegmentFormat.name(3)) || name.equals(SegmentFormat.name(2));
            for (int length = 0; length < content.length; length++) {
                Map<String, byte[]> cut = new TreeMap<>(files);
                cut.put(name, Arrays.copyOf(content, length));
                try (SegmentedLog log = open(MemoryFolder.of(cut))) {
                    assertTrue(isLast || log.next() == 9, name + " to " + length);
                } catch (DamagedLogException e) {
                    assertTrue(String.valueOf(e.getMessage()).contains(name), e::getMessage);
                }
            }
        }
    }

    @Test
    void a_file_that_is_missing_is_noticed() throws IOException {
        Map<String, byte[]> files = smallLog();
        files.remove(SegmentFormat.name(1));
        DamagedLogException refused = assertThrows(DamagedLogException.class, () -> open(MemoryFolder.of(files)));
        assertTrue(String.valueOf(refused.getMessage()).contains("index 1 is in an earlier one"), refused::getMessage);
    }

    @Test
    void a_file_that_is_missing_in_the_middle_is_noticed() throws IOException {
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = open(folder);
        for (int i = 0; i < 40; i++) {
            ModelLog.append(log, 1 + i, group(1, 1000));
        }
        Map<String, byte[]> files = folder.files();
        files.remove(SegmentFormat.name(2));
        DamagedLogException refused = assertThrows(DamagedLogException.class, () -> open(MemoryFolder.of(files)));
        assertTrue(
                String.valueOf(refused.getMessage()).contains(SegmentFormat.name(2) + " is missing"),
                refused::getMessage);
    }

    @Test
    void segments_are_used_again_and_the_rest_is_deleted() throws IOException {
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = open(folder);
        long next = 1;
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 60; i++) {
                ModelLog.append(log, next++, group(1, 1000));
            }
            log.cutBefore(next - 20);
            assertTrue(folder.names().size() <= 6, () -> folder.names().toString());
        }
        assertEquals(20, log.next() - log.first());
    }

    @Test
    void what_is_kept_to_be_used_again_can_be_given_back() throws IOException {
        AtomicLong spareBytesMax = new AtomicLong(100_000);
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = SegmentedLog.open(
                folder, new SegmentedLog.Settings(16 * 1024, 1024, spareBytesMax::get, salts::nextLong));
        for (int i = 1; i <= 60; i++) {
            ModelLog.append(log, i, group(1, 1000));
        }
        log.cutBefore(60);
        assertTrue(folder.names().size() > 4, () -> folder.names().toString());
        spareBytesMax.set(0);
        log.trim();
        assertEquals(2, folder.names().size(), "the one with the last entry, and the one that the cut has begun");
        assertNotNullRecord(open(folder), 60);
    }

    @Test
    void without_room_nothing_is_appended_and_nothing_is_lost() throws IOException {
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = open(folder);
        ModelLog.append(log, 1, group(1, 100));
        folder.setRoom(500);
        assertThrows(IOException.class, () -> log.begin(5_000));
        assertThrows(IOException.class, () -> log.begin(8), "nothing is tried again");
        folder.setRoom(Long.MAX_VALUE);
        try (SegmentedLog again = open(folder)) {
            assertEquals(2, again.next());
            ModelLog.append(again, 2, group(1, 5_000));
        }
    }

    @Test
    void an_append_needs_no_further_room_within_a_step() throws IOException {
        MemoryFolder folder = new MemoryFolder();
        SegmentedLog log = open(folder);
        ModelLog.append(log, 1, group(1, 100));
        folder.setRoom(0);
        for (int i = 2; i < 6; i++) {
            ModelLog.append(log, i, group(1, 80));
        }
        assertEquals(6, log.next());
    }

    @Test
    void entries_follow_each_other() throws IOException {
        SegmentedLog log = open(new MemoryFolder());
        ModelLog.append(log, 1, group(1, 100));
        assertThrows(IOException.class, () -> ModelLog.append(log, 3, group(1, 100)));
        assertThrows(IOException.class, () -> ModelLog.append(log, 1, group(1, 100)));
        ModelLog.append(log, 2, group(1, 100));
        assertThrows(IOException.class, () -> log.cutAfter(-1));
    }

    /** It would close the file for everybody. */
    @Test
    void an_interrupt_of_a_reader_does_no_harm(@TempDir Path path) throws IOException {
        SegmentedLog log = open(new DiskFolder(path));
        ModelLog.append(log, 1, group(1, 100));
        Thread.currentThread().interrupt();
        assertNotNullRecord(log, 1);
        assertTrue(Thread.interrupted());
        ModelLog.append(log, 2, group(1, 100));
        assertNotNullRecord(log, 2);
    }

    /** Golden bytes: a log of this release opens with every later one. */
    @Test
    void the_bytes_of_a_record_are_these() {
        ByteBuffer record = ByteBuffer.allocate(64);
        new SegmentFormat().put(record, 3, 4096, 7, 2, 1, new byte[] {9}, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        assertEquals(48, record.position());
        assertArrayEquals(
                new byte[] {
                    0, 0, 0, 44, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 9,
                    1, 2, 3, 0, 0, 0, 0
                },
                Arrays.copyOfRange(record.array(), 8, 48));
    }
}
