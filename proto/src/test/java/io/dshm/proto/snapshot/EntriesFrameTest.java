package io.dshm.proto.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.SnapshotEntries;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.TypedState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EntriesFrameTest {

    private static final StrictParser<SnapshotFrame> PARSER = new StrictParser<>(SnapshotFrame.parser());

    /** What a visitor was given, and which of it without a message. */
    private static final class Given implements SnapshotPart.Visitor {

        final List<SnapshotEntry> entries = new ArrayList<>();
        int plain;

        @Override
        public void entry(SnapshotEntry entry) {
            entries.add(entry);
        }

        @Override
        public void plainEntry(byte[] key, long expiresAtMillis, long version, byte[] value) throws IOException {
            plain++;
            SnapshotPart.Visitor.super.plainEntry(key, expiresAtMillis, version, value);
        }
    }

    private static SnapshotEntry.Builder entry(Random random) {
        SnapshotEntry.Builder entry = SnapshotEntry.newBuilder()
                .setKey(bytes(random, 1 + random.nextInt(200)))
                .setVersion(number(random));
        if (random.nextBoolean()) {
            entry.setExpiresAtMillis(number(random));
        }
        return entry;
    }

    private static ByteString bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return ByteString.copyFrom(bytes);
    }

    private static long number(Random random) {
        return random.nextLong() >>> (1 + random.nextInt(63));
    }

    private static SnapshotEntry.Builder plain(Random random) {
        return entry(random).setValue(bytes(random, random.nextInt(300)));
    }

    private static SnapshotFrame frame(List<SnapshotEntry> entries) {
        return SnapshotFrame.newBuilder()
                .setEntries(SnapshotEntries.newBuilder().addAllEntries(entries))
                .build();
    }

    @Test
    void it_gives_what_was_written_and_plain_values_without_a_message() throws IOException {
        Random random = new Random(1);
        List<SnapshotEntry> entries = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            entries.add(
                    i % 5 == 0
                            ? entry(random)
                                    .setTyped(TypedState.newBuilder().setNumber(i))
                                    .build()
                            : plain(random).build());
        }
        byte[] bytes = frame(entries).toByteArray();
        assertTrue(EntriesFrame.isOne(bytes));
        Given given = new Given();
        assertEquals(2000, new EntriesFrame(bytes).read(given));
        assertEquals(entries, given.entries);
        assertEquals(1600, given.plain);
    }

    @Test
    void a_negative_number_and_a_value_without_a_key_are_given_as_protobuf_reads_them() throws IOException {
        List<SnapshotEntry> entries = List.of(
                SnapshotEntry.newBuilder()
                        .setKey(ByteString.copyFromUtf8("k"))
                        .setVersion(-1)
                        .setValue(ByteString.EMPTY)
                        .build(),
                SnapshotEntry.newBuilder()
                        .setVersion(1)
                        .setValue(ByteString.copyFromUtf8("v"))
                        .build(),
                SnapshotEntry.getDefaultInstance());
        Given given = new Given();
        new EntriesFrame(frame(entries).toByteArray()).read(given);
        assertEquals(entries, given.entries);
        assertEquals(0, given.plain);
    }

    @Test
    void bits_beyond_the_64_of_a_number_are_ignored_as_protobuf_ignores_them() throws IOException {
        // Key "k", a version of ten bytes, an empty value.
        byte[] bytes = HexFormat.of().parseHex("1212" + "0a10" + "0a016b" + "1881808080808080808002" + "2200");
        assertTrue(EntriesFrame.isOne(bytes));
        Given given = new Given();
        new EntriesFrame(bytes).read(given);
        assertEquals(byProtobuf(bytes), Optional.of(given.entries));
    }

    /** Whatever bytes there are, it gives just what protobuf would, or refuses them for the same reason. */
    @Test
    void changed_bytes_are_read_as_protobuf_reads_them() throws IOException {
        Random random = new Random(2);
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 100_000; round++) {
            List<SnapshotEntry> entries = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                SnapshotEntry.Builder next = entry(random).setKey(bytes(random, 1 + random.nextInt(3)));
                entries.add((random.nextInt(4) == 0
                                ? next.setTyped(TypedState.newBuilder().setBoolean(true))
                                : next.setValue(bytes(random, random.nextInt(3))))
                        .build());
            }
            byte[] bytes = changed(frame(entries).toByteArray(), random);
            if (!EntriesFrame.isOne(bytes)) {
                continue;
            }
            Optional<List<SnapshotEntry>> expected = byProtobuf(bytes);
            Given given = new Given();
            boolean whole = true;
            try {
                new EntriesFrame(bytes).read(given);
            } catch (InvalidProtocolBufferException e) {
                whole = false;
            }
            assertEquals(expected, whole ? Optional.of(given.entries) : Optional.empty(), () -> hex(bytes));
            read += whole ? 1 : 0;
            refused += whole ? 0 : 1;
        }
        assertTrue(read > 1000 && refused > 1000, read + " read, " + refused + " refused");
    }

    private static byte[] changed(byte[] bytes, Random random) {
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        int place = random.nextInt(bytes.length);
        changed.write(bytes, 0, place);
        switch (random.nextInt(3)) {
            case 0 -> changed.write(bytes[place] ^ (1 << random.nextInt(8)));
            case 1 -> {
                // A varint in more bytes than it needs, if it is one; the lengths around it are too short then.
                changed.write(bytes[place] | 0x80);
                changed.write(0);
            }
            default -> changed.write(random.nextInt(256));
        }
        changed.write(bytes, place + 1, bytes.length - place - 1);
        byte[] all = changed.toByteArray();
        if (all.length > bytes.length && all[1] >= 0) {
            all[1]++;
        }
        return all;
    }

    private static Optional<List<SnapshotEntry>> byProtobuf(byte[] bytes) {
        try {
            return Optional.of(PARSER.parse(ByteBuffer.wrap(bytes)).getEntries().getEntriesList());
        } catch (InvalidProtocolBufferException e) {
            return Optional.empty();
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void a_frame_of_something_else_is_none_of_entries() {
        assertFalse(EntriesFrame.isOne(new byte[0]));
        assertFalse(EntriesFrame.isOne(SnapshotFrame.newBuilder()
                .setFooter(SnapshotFooter.newBuilder().setEntryCount(3))
                .build()
                .toByteArray()));
    }
}
