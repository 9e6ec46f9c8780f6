package io.dshm.server.statemachine;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.snapshot.SnapshotFormat;
import io.dshm.proto.wire.AccountState;
import io.dshm.proto.wire.Element;
import io.dshm.proto.wire.HoldState;
import io.dshm.proto.wire.LimiterState;
import io.dshm.proto.wire.ListState;
import io.dshm.proto.wire.MeterState;
import io.dshm.proto.wire.PermitsState;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotEntries;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.proto.wire.TypedState;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.ListValue;
import io.dshm.server.store.Store;
import io.dshm.server.store.Typed;
import io.dshm.server.store.limiters.Account;
import io.dshm.server.store.limiters.Holds;
import io.dshm.server.store.limiters.Limiter;
import io.dshm.server.store.limiters.Meter;
import io.dshm.server.store.limiters.Permits;
import io.dshm.server.store.limiters.SlidingLog;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes a state into a snapshot's files. Each file is synced to the disk before the next one is begun. */
public final class SnapshotWriter {

    /** A file ends after this many bytes: a copy that breaks off has to repeat at most one file. */
    static final long PART_BYTES = 128L * 1024 * 1024;

    /** A frame holds about this many bytes of entries. */
    private static final int FRAME_BYTES = 64 * 1024;

    private static final int READ_BYTES = 64 * 1024;

    /**
     * A file that has been written.
     *
     * @param name its name in the folder
     * @param checksum of its content, in hexadecimal
     */
    public record Part(String name, String checksum) {

        private static final char SEPARATOR = '-';

        static Part of(String name, long entryCount, long digest, long crc) {
            return new Part(
                    name,
                    Long.toHexString(entryCount)
                            + SEPARATOR
                            + Long.toHexString(digest)
                            + SEPARATOR
                            + Long.toHexString(crc));
        }

        /** How many entries a file with this checksum holds. */
        public static long entryCount(String checksum) {
            return Long.parseLong(checksum, 0, checksum.indexOf(SEPARATOR), 16);
        }

        /**
         * Reads a file, and compares it with the checksums in it and with this one, of the whole.
         *
         * @return what is wrong with it; null if it is what was written
         * @throws IOException if it cannot be read
         */
        public static @Nullable String damage(Path file, String checksum) throws IOException {
            long expectedOfAll;
            try {
                expectedOfAll = Long.parseLong(checksum.substring(checksum.lastIndexOf(SEPARATOR) + 1), 16);
            } catch (NumberFormatException e) {
                return file + " has no checksum, but '" + checksum + "'";
            }
            CRC32C all = new CRC32C();
            try (DataInputStream in =
                    new DataInputStream(new BufferedInputStream(Files.newInputStream(file), READ_BYTES))) {
                byte[] piece = new byte[READ_BYTES];
                if (!Arrays.equals(in.readNBytes(SnapshotFormat.MAGIC_BYTES), SnapshotFormat.magic())) {
                    return file + " does not begin as a snapshot does";
                }
                for (long at = SnapshotFormat.MAGIC_BYTES; in.available() > 0; ) {
                    long left = Integer.toUnsignedLong(in.readInt());
                    int expected = in.readInt();
                    long next = at + 2L * Integer.BYTES + left;
                    CRC32C frame = new CRC32C();
                    while (left > 0) {
                        int count = (int) Math.min(left, piece.length);
                        in.readFully(piece, 0, count);
                        frame.update(piece, 0, count);
                        all.update(piece, 0, count);
                        left -= count;
                    }
                    if ((int) frame.getValue() != expected) {
                        return file + " is damaged in the frame at offset " + at;
                    }
                    at = next;
                }
            } catch (EOFException e) {
                return file + " is cut off";
            }
            return all.getValue() == expectedOfAll ? null : file + " is not the file that was written";
        }
    }

    private final Path folder;
    private final StateSource state;
    private final long partBytes;

    private final List<Part> parts = new ArrayList<>();
    private SnapshotEntries.Builder frame = SnapshotEntries.newBuilder();
    private int frameBytes;
    private long entryCount;
    private long digest;
    private @Nullable PartFile file;

    /** Writes this state into this folder, which must exist and be empty. The caller closes the state. */
    public SnapshotWriter(Path folder, StateSource state) {
        this(folder, state, PART_BYTES);
    }

    SnapshotWriter(Path folder, StateSource state, long partBytes) {
        this.folder = folder;
        this.state = state;
        this.partBytes = partBytes;
    }

    /**
     * Writes everything. Takes as long as the disk takes; to be called once, on a thread that may block.
     *
     * @return the files, in their order
     * @throws IOException if a file cannot be written; the caller then deletes the folder's content
     */
    public List<Part> write() throws IOException {
        try {
            PartFile first = open();
            state.forEachOther(first);
            state.forEachEntry(this::append);
            finishPart(true);
        } finally {
            if (file != null) {
                file.close();
            }
        }
        return parts;
    }

    private PartFile open() throws IOException {
        PartFile opened = new PartFile(folder.resolve(SnapshotFormat.fileName(parts.size())));
        file = opened;
        opened.append(SnapshotFrame.newBuilder()
                .setHeader(state.header().toBuilder().setPart(parts.size()))
                .build());
        return opened;
    }

    private void append(byte[] key, Entry entry) throws IOException {
        PartFile current = file == null ? open() : file;
        frame.addEntries(toWire(key, entry));
        frameBytes += Math.toIntExact(EntryBytes.of(key, entry));
        entryCount++;
        digest += Store.digestOf(key, entry, state.header().getClockMillis());
        if (frameBytes >= Math.min(FRAME_BYTES, partBytes)) {
            flushFrame(current);
            if (current.length() >= partBytes) {
                finishPart(false);
            }
        }
    }

    private void flushFrame(PartFile current) throws IOException {
        if (frameBytes > 0) {
            current.append(SnapshotFrame.newBuilder().setEntries(frame).build());
            frame = SnapshotEntries.newBuilder();
            frameBytes = 0;
        }
    }

    private void finishPart(boolean last) throws IOException {
        PartFile current = file == null ? open() : file;
        flushFrame(current);
        current.append(SnapshotFrame.newBuilder()
                .setFooter(SnapshotFooter.newBuilder()
                        .setEntryCount(entryCount)
                        .setDigest(digest)
                        .setLastPart(last))
                .build());
        current.force();
        current.close();
        parts.add(Part.of(SnapshotFormat.fileName(parts.size()), entryCount, digest, current.crc()));
        file = null;
        entryCount = 0;
        digest = 0;
    }

    private SnapshotEntry toWire(byte[] key, Entry entry) {
        SnapshotEntry.Builder wire = SnapshotEntry.newBuilder()
                .setKey(UnsafeByteOperations.unsafeWrap(key))
                .setExpiresAtMillis(entry.expiresAtMillis() == Entry.NEVER ? 0 : entry.expiresAtMillis())
                .setVersion(entry.version());
        if (entry.isLimiter()) {
            Limiter limiter = entry.limiter();
            if (limiter instanceof Meter meter) {
                wire.setMeter(toWire(meter));
            } else if (limiter instanceof Account account) {
                wire.setAccount(toWire(account));
            } else if (limiter instanceof Permits permits) {
                wire.setPermits(toWire(permits));
            } else {
                wire.setLimiter(toWire((SlidingLog) limiter));
            }
        } else if (entry.isTyped()) {
            wire.setTyped(toWire(entry.typed()));
        } else {
            wire.setValue(UnsafeByteOperations.unsafeWrap(entry.value()));
        }
        return wire.build();
    }

    private static MeterState toWire(Meter meter) {
        return MeterState.newBuilder()
                .setAlgorithm(Takes.toWire(meter.algorithm()))
                .setLimit(meter.quota().limit())
                .setPeriodMillis(meter.quota().periodMillis())
                .setBurst(meter.quota().burst())
                .setAtMillis(meter.atMillis())
                .setUsed(meter.used())
                .setMore(meter.more())
                .build();
    }

    private static AccountState toWire(Account account) {
        AccountState.Builder state = AccountState.newBuilder();
        if (account.tokens() instanceof Meter meter) {
            state.setMeter(toWire(meter));
        } else {
            state.setLog(toWire((SlidingLog) account.tokens()));
        }
        holds(account.reserved()).forEach(state::addReserved);
        holds(account.shares()).forEach(state::addShares);
        return state.build();
    }

    private static PermitsState toWire(Permits permits) {
        PermitsState.Builder state = PermitsState.newBuilder().setLimit(permits.limit());
        holds(permits.holders()).forEach(state::addHolders);
        return state.build();
    }

    private static List<HoldState> holds(Holds holds) {
        List<HoldState> states = new ArrayList<>(holds.size());
        for (int i = 0; i < holds.size(); i++) {
            states.add(HoldState.newBuilder()
                    .setId(UnsafeByteOperations.unsafeWrap(holds.id(i)))
                    .setNumber(holds.number(i))
                    .setEndMillis(holds.endMillis(i))
                    .build());
        }
        return states;
    }

    private static LimiterState toWire(SlidingLog log) {
        LimiterState.Builder state =
                LimiterState.newBuilder().setCapacity(log.limit()).setDurationMillis(log.periodMillis());
        if (log.keepMillis() > log.periodMillis()) {
            state.setKeepMillis(log.keepMillis());
        }
        long previous = 0;
        for (int i = 0; i < log.grantCount(); i++) {
            state.addGrantDeltasMillis(log.grantMillis(i) - previous);
            previous = log.grantMillis(i);
            if (log.hasAmounts()) {
                state.addGrantAmounts(log.grantAmount(i));
            }
        }
        return state.build();
    }

    private static TypedState toWire(Typed typed) {
        TypedState.Builder wire = TypedState.newBuilder().setFlags(typed.flags());
        Object value = typed.value();
        if (value instanceof byte[] string) {
            return wire.setString(UnsafeByteOperations.unsafeWrap(string)).build();
        } else if (value instanceof Double number) {
            return wire.setNumber(number).build();
        } else if (value instanceof Boolean truth) {
            return wire.setBoolean(truth).build();
        }
        ListState.Builder list = ListState.newBuilder();
        for (Object element : ((ListValue) value).elements()) {
            list.addElements(
                    element instanceof byte[] string
                            ? Element.newBuilder().setString(UnsafeByteOperations.unsafeWrap(string))
                            : Element.newBuilder().setNumber((Double) element));
        }
        return wire.setList(list).build();
    }

    /** One file, with a checksum for each frame and one over all frames. */
    private static final class PartFile implements StateSource.Consumer, AutoCloseable {

        private final FileChannel channel;
        private final DataOutputStream out;
        private final CRC32C all = new CRC32C();
        private long length;

        PartFile(Path path) throws IOException {
            channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            out = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16));
            out.write(SnapshotFormat.magic());
        }

        @Override
        public void node(SnapshotNode node) throws IOException {
            append(SnapshotFrame.newBuilder().setNode(node).build());
        }

        @Override
        public void client(SnapshotClient client) throws IOException {
            append(SnapshotFrame.newBuilder().setClient(client).build());
        }

        @Override
        public void upload(SnapshotUpload upload) throws IOException {
            append(SnapshotFrame.newBuilder().setUpload(upload).build());
        }

        @Override
        public void region(SnapshotRegion region) throws IOException {
            append(SnapshotFrame.newBuilder().setRegion(region).build());
        }

        @Override
        public void users(SnapshotUsers users) throws IOException {
            append(SnapshotFrame.newBuilder().setUsers(users).build());
        }

        void append(SnapshotFrame frame) throws IOException {
            byte[] bytes = frame.toByteArray();
            CRC32C crc = new CRC32C();
            crc.update(bytes);
            all.update(bytes);
            out.writeInt(bytes.length);
            out.writeInt((int) crc.getValue());
            out.write(bytes);
            length += 2L * Integer.BYTES + bytes.length;
        }

        long length() {
            return length;
        }

        long crc() {
            return all.getValue();
        }

        void force() throws IOException {
            out.flush();
            channel.force(true);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
