package io.dshm.server.simulation;

import io.dshm.proto.wire.LimiterState;
import io.dshm.proto.wire.MeterState;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Meter;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.SlidingLog;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** The folders of one run's snapshots, in memory where the machine has a file system for that. */
final class Snapshots implements AutoCloseable {

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final int MAGIC_BYTES = 8;

    /**
     * A snapshot that is whole.
     *
     * @param index the log index after which the state is that
     * @param term the term of the entry there
     */
    record Snapshot(long index, long term, Path folder, RaftConfig config) {}

    /** That of a node which has none: the empty state before the log. */
    static final Snapshot NONE = new Snapshot(0, 0, Path.of(""), RaftConfig.of(0));

    private final Path root;
    private int next;

    Snapshots() {
        try {
            root = Files.isWritable(MEMORY)
                    ? Files.createTempDirectory(MEMORY, "dshm-simulation-")
                    : Files.createTempDirectory("dshm-simulation-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path newFolder() throws IOException {
        return Files.createDirectory(root.resolve(Integer.toString(next++)));
    }

    /** Rewrites the frames of a snapshot's one file, so that checksums and footer are right again. */
    static void rewrite(Path folder, UnaryOperator<SnapshotFrame> change) throws IOException {
        Path file = fileIn(folder);
        byte[] old = Files.readAllBytes(file);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(old, 0, MAGIC_BYTES);
        long clockMillis = 0;
        long digest = 0;
        try (DataInputStream in =
                        new DataInputStream(new ByteArrayInputStream(old, MAGIC_BYTES, old.length - MAGIC_BYTES));
                DataOutputStream out = new DataOutputStream(bytes)) {
            while (in.available() > 0) {
                int length = in.readInt();
                in.readInt();
                SnapshotFrame frame = change.apply(SnapshotFrame.parseFrom(in.readNBytes(length)));
                if (frame.hasHeader()) {
                    clockMillis = frame.getHeader().getClockMillis();
                }
                for (SnapshotEntry entry : frame.getEntries().getEntriesList()) {
                    digest += digestOf(entry, clockMillis);
                }
                if (frame.hasFooter()) {
                    frame = SnapshotFrame.newBuilder()
                            .setFooter(frame.getFooter().toBuilder().setDigest(digest))
                            .build();
                }
                CRC32C crc = new CRC32C();
                crc.update(frame.toByteArray());
                out.writeInt(frame.getSerializedSize());
                out.writeInt((int) crc.getValue());
                frame.writeTo(out);
            }
        }
        Files.write(file, bytes.toByteArray());
    }

    private static long digestOf(SnapshotEntry wire, long clockMillis) {
        long expiresAt = wire.getExpiresAtMillis() == 0 ? Entry.NEVER : wire.getExpiresAtMillis();
        if (wire.hasValue()) {
            Entry entry = Entry.of(wire.getValue().toByteArray(), expiresAt, wire.getVersion());
            return Store.digestOf(wire.getKey().toByteArray(), entry, clockMillis);
        }
        if (wire.hasMeter()) {
            MeterState state = wire.getMeter();
            Meter meter = Meter.restore(
                    Algorithm.valueOf(state.getAlgorithm().name()),
                    new Quota(state.getLimit(), state.getPeriodMillis(), state.getBurst()),
                    state.getAtMillis(),
                    state.getUsed(),
                    state.getMore());
            return Store.digestOf(
                    wire.getKey().toByteArray(), Entry.of(meter, expiresAt, wire.getVersion()), clockMillis);
        }
        LimiterState state = wire.getLimiter();
        long[] grants = new long[state.getGrantDeltasMillisCount()];
        long grant = 0;
        for (int i = 0; i < grants.length; i++) {
            grant += state.getGrantDeltasMillis(i);
            grants[i] = grant;
        }
        SlidingLog limiter = SlidingLog.restore(
                state.getCapacity(),
                state.getDurationMillis(),
                Math.max(state.getDurationMillis(), state.getKeepMillis()),
                grants,
                state.getGrantAmountsCount() == 0
                        ? null
                        : state.getGrantAmountsList().stream().mapToLong(n -> n).toArray());
        return Store.digestOf(
                wire.getKey().toByteArray(), Entry.of(limiter, expiresAt, wire.getVersion()), clockMillis);
    }

    /** The first frame of a snapshot's one file. */
    static SnapshotHeader headerIn(Path folder) throws IOException {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(fileIn(folder)))) {
            in.skipNBytes(MAGIC_BYTES);
            int length = in.readInt();
            in.readInt();
            return SnapshotFrame.parseFrom(in.readNBytes(length)).getHeader();
        }
    }

    static Path fileIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            if (all.size() != 1) {
                throw new IllegalStateException("a snapshot of several files: " + all);
            }
            return all.get(0);
        }
    }

    @Override
    public void close() {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
