package io.dshm.server.statemachine;

import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.SnapshotException;
import io.dshm.proto.snapshot.SnapshotFormat;
import io.dshm.proto.snapshot.SnapshotPart;
import io.dshm.proto.wire.AccountState;
import io.dshm.proto.wire.Element;
import io.dshm.proto.wire.HoldState;
import io.dshm.proto.wire.LimiterState;
import io.dshm.proto.wire.ListState;
import io.dshm.proto.wire.MeterState;
import io.dshm.proto.wire.PermitsState;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.proto.wire.TypedState;
import io.dshm.server.store.Entry;
import io.dshm.server.store.ListValue;
import io.dshm.server.store.Store;
import io.dshm.server.store.Typed;
import io.dshm.server.store.limiters.Account;
import io.dshm.server.store.limiters.Holds;
import io.dshm.server.store.limiters.Meter;
import io.dshm.server.store.limiters.Permits;
import io.dshm.server.store.limiters.PlainLimiter;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.SlidingLog;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/** Reads and verifies a snapshot's files: every frame by its checksum, every file by its footer. */
public final class SnapshotReader {

    /** What is in a snapshot, piece by piece, before the whole is known to be good. */
    interface Target {
        void entry(byte[] key, Entry entry) throws IOException;

        void node(SnapshotNode node);

        void client(SnapshotClient client);

        void upload(SnapshotUpload upload);

        void region(SnapshotRegion region);

        void users(SnapshotUsers users);
    }

    /** An entry with a key of one byte and an empty value. */
    private static final int ENTRY_BYTES_MIN = 9;

    private final Path folder;

    /** A reader of the snapshot in this folder. */
    public SnapshotReader(Path folder) {
        this.folder = folder;
    }

    /**
     * How many entries there are, by the footers of the files; 0 if one cannot be read, which {@link #read} then tells.
     * Never more than the files have room for.
     */
    long entriesExpected() throws IOException {
        long entries = 0;
        long bytes = 0;
        for (int number = 0; ; number++) {
            Path path = folder.resolve(SnapshotFormat.fileName(number));
            if (!Files.exists(path)) {
                return 0;
            }
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
                SnapshotFooter footer = SnapshotPart.footerAt(end(file));
                if (footer == null) {
                    return 0;
                }
                entries += footer.getEntryCount();
                bytes += file.size();
                if (footer.getLastPart()) {
                    return Math.max(0, Math.min(entries, bytes / ENTRY_BYTES_MIN));
                }
            }
        }
    }

    private static byte[] end(FileChannel file) throws IOException {
        long from = Math.max(0, file.size() - SnapshotFormat.FOOTER_BYTES_MAX);
        ByteBuffer end = ByteBuffer.allocate(Math.toIntExact(file.size() - from));
        while (end.hasRemaining() && file.read(end, from + end.position()) >= 0) {
            // The rest.
        }
        return end.array();
    }

    /**
     * Reads everything.
     *
     * @return the first file's header
     * @throws IOException if a file cannot be read
     * @throws CorruptStateException if one is damaged, missing or not whole; its message names the file
     */
    SnapshotHeader read(Target target) throws IOException {
        SnapshotHeader first = null;
        Entries entries = new Entries(target);
        for (int number = 0; ; number++) {
            Path path = folder.resolve(SnapshotFormat.fileName(number));
            if (!Files.exists(path)) {
                throw new CorruptStateException("snapshot file " + path + " is missing");
            }
            try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
                SnapshotPart part = new SnapshotPart(in, number, entries);
                boolean last = part.read().getLastPart();
                if (in.read() >= 0) {
                    throw new SnapshotException("goes on after its footer");
                }
                SnapshotHeader header = part.header();
                if (first == null) {
                    first = header;
                } else if (header.getIndex() != first.getIndex()) {
                    throw new SnapshotException("belongs to index " + header.getIndex() + ", not " + first.getIndex());
                }
                if (last) {
                    return first;
                }
            } catch (SnapshotException e) {
                String message = "snapshot file " + path + " " + e.getMessage();
                throw e.isNewer() ? new NewerFormatException(message) : new CorruptStateException(message, e);
            }
        }
    }

    /**
     * Reads a backup, in the same way.
     *
     * @throws SnapshotException if it is damaged, not whole or of another format; its message names the file and the
     *     offset
     */
    static SnapshotHeader read(BackupReader backup, Target target) throws IOException {
        return backup.read(new Entries(target));
    }

    /** From what is in the file to what is in the store. */
    private static final class Entries implements SnapshotPart.Visitor {

        private final Target target;
        private long clockMillis;
        private long digest;

        Entries(Target target) {
            this.target = target;
        }

        @Override
        public void header(SnapshotHeader header) {
            clockMillis = header.getClockMillis();
            digest = 0;
        }

        @Override
        public void entry(SnapshotEntry wire) throws IOException {
            accept(wire.getKey().toByteArray(), fromWire(wire));
        }

        @Override
        public void plainEntry(byte[] key, long expiresAtMillis, long version, byte[] value) throws IOException {
            accept(key, Entry.of(value, deadline(expiresAtMillis), version));
        }

        private void accept(byte[] key, Entry entry) throws IOException {
            digest += Store.digestOf(key, entry, clockMillis);
            target.entry(key, entry);
        }

        @Override
        public void node(SnapshotNode node) {
            target.node(node);
        }

        @Override
        public void client(SnapshotClient client) {
            target.client(client);
        }

        @Override
        public void upload(SnapshotUpload upload) {
            target.upload(upload);
        }

        @Override
        public void region(SnapshotRegion region) {
            target.region(region);
        }

        @Override
        public void users(SnapshotUsers users) {
            target.users(users);
        }

        @Override
        public void footer(SnapshotFooter footer) throws SnapshotException {
            if (footer.getDigest() != digest) {
                throw new SnapshotException("holds other entries than were written");
            }
        }

        private static Entry fromWire(SnapshotEntry wire) {
            long expiresAt = deadline(wire.getExpiresAtMillis());
            return switch (wire.getContentCase()) {
                case VALUE -> Entry.of(wire.getValue().toByteArray(), expiresAt, wire.getVersion());
                case LIMITER -> Entry.of(limiter(wire.getLimiter()), expiresAt, wire.getVersion());
                case ACCOUNT -> Entry.of(account(wire.getAccount()), expiresAt, wire.getVersion());
                case PERMITS -> Entry.of(permits(wire.getPermits()), expiresAt, wire.getVersion());
                case METER -> Entry.of(meter(wire.getMeter()), expiresAt, wire.getVersion());
                case TYPED -> Entry.of(typed(wire.getTyped()), expiresAt, wire.getVersion());
                case CONTENT_NOT_SET -> throw new IllegalArgumentException("an entry of an unknown kind");
            };
        }

        private static long deadline(long expiresAtMillis) {
            return expiresAtMillis == 0 ? Entry.NEVER : expiresAtMillis;
        }

        private static Meter meter(MeterState wire) {
            return Meter.restore(
                    Takes.algorithm(wire.getAlgorithm()),
                    new Quota(wire.getLimit(), wire.getPeriodMillis(), wire.getBurst()),
                    wire.getAtMillis(),
                    wire.getUsed(),
                    wire.getMore());
        }

        private static Account account(AccountState wire) {
            PlainLimiter tokens = switch (wire.getTokensCase()) {
                case METER -> meter(wire.getMeter());
                case LOG -> limiter(wire.getLog());
                case TOKENS_NOT_SET -> throw new IllegalArgumentException("a limiter of an unknown kind");
            };
            return Account.restore(tokens, holds(wire.getReservedList()), holds(wire.getSharesList()));
        }

        private static Permits permits(PermitsState wire) {
            return Permits.restore(wire.getLimit(), holds(wire.getHoldersList()));
        }

        private static Holds holds(List<HoldState> wire) {
            Holds holds = Holds.NONE;
            for (HoldState hold : wire) {
                holds = holds.with(hold.getId().toByteArray(), hold.getNumber(), hold.getEndMillis());
            }
            return holds;
        }

        private static SlidingLog limiter(LimiterState wire) {
            long[] grants = new long[wire.getGrantDeltasMillisCount()];
            long grant = 0;
            for (int i = 0; i < grants.length; i++) {
                grant += wire.getGrantDeltasMillis(i);
                grants[i] = grant;
            }
            long[] amounts = new long[wire.getGrantAmountsCount()];
            Arrays.setAll(amounts, wire::getGrantAmounts);
            return SlidingLog.restore(
                    wire.getCapacity(),
                    wire.getDurationMillis(),
                    Math.max(wire.getDurationMillis(), wire.getKeepMillis()),
                    grants,
                    amounts.length == 0 ? null : amounts);
        }

        private static Typed typed(TypedState wire) {
            Object value = switch (wire.getValueCase()) {
                case STRING -> wire.getString().toByteArray();
                case NUMBER -> wire.getNumber();
                case BOOLEAN -> wire.getBoolean();
                case LIST -> list(wire.getList());
                case VALUE_NOT_SET -> throw new IllegalArgumentException("a value of an unknown type");
            };
            return new Typed(value, wire.getFlags());
        }

        private static ListValue list(ListState wire) {
            ListValue list = ListValue.EMPTY;
            for (Element element : wire.getElementsList()) {
                list = switch (element.getElementCase()) {
                    case STRING -> list.push(false, element.getString().toByteArray());
                    case NUMBER -> list.push(false, element.getNumber());
                    case ELEMENT_NOT_SET -> throw new IllegalArgumentException("an element of an unknown type");
                };
            }
            return list;
        }
    }
}
