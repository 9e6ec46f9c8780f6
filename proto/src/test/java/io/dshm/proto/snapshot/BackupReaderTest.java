package io.dshm.proto.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.SnapshotHeader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackupReaderTest {

    private static final String NAME = "x.dshm";

    private static byte[] small() throws IOException {
        return TestBackups.backup(
                TestBackups.part(0, false, Formats.NEWEST, "a", "r:b"),
                TestBackups.part(1, true, Formats.NEWEST, "r:c"));
    }

    private static List<String> keys(byte[] file) throws IOException {
        List<String> keys = new ArrayList<>();
        try (BackupReader reader = new BackupReader(new ByteArrayInputStream(file), NAME)) {
            SnapshotHeader header = reader.read(entry -> keys.add(entry.getKey().toStringUtf8()));
            assertEquals(7, header.getIndex());
            assertEquals(file.length, reader.offset(), "everything was verified");
        }
        return keys;
    }

    private static SnapshotException assertRefused(byte[] file, String why) {
        SnapshotException refused = assertThrows(SnapshotException.class, () -> keys(file), why);
        assertTrue(String.valueOf(refused.getMessage()).startsWith(NAME + ", offset "), refused::toString);
        return refused;
    }

    @Test
    void what_was_written_is_read() throws IOException {
        assertEquals(List.of("a", "r:b", "r:c"), keys(small()));
        try (BackupReader reader = new BackupReader(new ByteArrayInputStream(small()), NAME)) {
            assertEquals("n1", reader.head().getNode());
        }
    }

    @Test
    void any_bit_that_is_flipped_is_found() throws IOException {
        byte[] good = small();
        for (int bit = 0; bit < 8 * good.length; bit++) {
            byte[] bad = good.clone();
            bad[bit / 8] ^= (byte) (1 << bit % 8);
            assertRefused(bad, "bit " + bit);
        }
    }

    @Test
    void any_end_that_is_missing_and_anything_behind_the_end_is_found() throws IOException {
        byte[] good = small();
        for (int length = 0; length < good.length; length++) {
            assertRefused(Arrays.copyOf(good, length), "length " + length);
        }
        assertRefused(Arrays.copyOf(good, good.length + 1), "a byte more");
        assertRefused(Arrays.copyOf(good, 2 * good.length), "many more");
    }

    @Test
    void the_message_names_the_offset_of_the_block_that_is_damaged() throws IOException {
        byte[] first = TestBackups.part(0, false, Formats.NEWEST, "a");
        byte[] good = TestBackups.backup(first, TestBackups.part(1, true, Formats.NEWEST, "b"));
        byte[] bad = good.clone();
        bad[bad.length - 40] ^= 1;
        String message = String.valueOf(assertRefused(bad, "near the end").getMessage());
        long offset = Long.parseLong(message.replaceAll(".*offset (\\d+):.*", "$1"));
        assertTrue(offset > 12 && offset <= bad.length - 40, message);
        assertTrue(message.endsWith("has a wrong checksum"), message);
    }

    @Test
    void a_block_that_is_missing_or_comes_twice_is_found() throws IOException {
        byte[] piece = TestBackups.part(0, true, Formats.NEWEST, "a");
        byte[] good = TestBackups.backup(piece, piece);
        // Both blocks have the same bytes, but for their checksums.
        int foot = good.length - 9 - 3;
        byte[] head = TestBackups.backup();
        int begin = head.length - 9;
        int block = (foot - begin) / 2;
        byte[] without = new byte[good.length - block];
        System.arraycopy(good, 0, without, 0, begin);
        System.arraycopy(good, begin + block, without, begin, good.length - begin - block);
        assertRefused(without, "a block is missing");
    }

    @Test
    void a_snapshot_that_goes_on_or_is_not_whole_is_found() throws IOException {
        byte[] part = TestBackups.part(0, true, Formats.NEWEST, "a");
        assertRefused(TestBackups.backup(part, part), "a part too many");
        assertRefused(TestBackups.backup(TestBackups.part(0, false, Formats.NEWEST, "a")), "a part is missing");
        assertRefused(TestBackups.backup(TestBackups.part(0, false, Formats.NEWEST, "a"), part), "the wrong part");
    }

    @Test
    void a_newer_format_is_refused_as_such() throws IOException {
        SnapshotException state =
                assertRefused(TestBackups.backup(TestBackups.part(0, true, Formats.NEWEST + 1, "a")), "newer state");
        assertTrue(state.isNewer(), state::toString);
        byte[] file = small();
        file[11] = 2;
        SnapshotException newer = assertRefused(file, "newer file");
        assertTrue(newer.isNewer(), newer::toString);
        assertTrue(String.valueOf(newer.getMessage()).contains("format 2"), newer::toString);
        assertFalse(assertRefused(new byte[100], "no backup").isNewer());
    }

    @Test
    void a_backup_shorter_than_its_head_says_is_not_ended() throws IOException {
        BackupHead head = BackupHead.newBuilder().setContentBytes(9).build();
        BackupWriter writer = new BackupWriter(new ByteArrayOutputStream(), head);
        writer.write(new byte[8], 8);
        assertThrows(IOException.class, writer::finish);
    }
}
