package io.dshm.server.statemachine;

import io.dshm.proto.Formats;
import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.SnapshotException;
import io.dshm.proto.snapshot.SnapshotFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The decoder of snapshots for a fuzzer: what a leader that has been taken over, or a damaged disk, could hand to a node. The checksums of
 * all frames are set right before they are read: the rest is what is to be shown.
 */
public final class SnapshotFuzz {

    private static final int FRAME_HEAD_BYTES = 8;

    private SnapshotFuzz() {}

    /** Snapshots with some of everything. */
    public static List<byte[]> seeds() throws IOException {
        Path folder = Files.createTempDirectory("dshm-fuzz-seed");
        try {
            StateMachine stateMachine = StateMachineTest.newStateMachine();
            Log log = new Log();
            log.append(Log.switchFormat(Formats.BOUNDS));
            for (int i = 0; i < 5; i++) {
                log.append(log.next(Log.incr("r::k" + i, i, 0)));
            }
            log.applyTo(stateMachine);
            try (StateView view = stateMachine.view()) {
                new SnapshotWriter(folder, view, SnapshotWriter.PART_BYTES).write();
            }
            return List.of(Files.readAllBytes(folder.resolve(SnapshotFormat.fileName(0))));
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** Any bytes as a snapshot's only file. */
    public static void snapshot(byte[] data) throws IOException {
        Path folder = Files.createTempDirectory("dshm-fuzz");
        try {
            Files.write(folder.resolve(SnapshotFormat.fileName(0)), withChecksums(data));
            StateMachineTest.newStateMachine().load(new SnapshotReader(folder));
        } catch (CorruptStateException | StateTooLargeException refused) {
            if (String.valueOf(refused.getMessage()).isEmpty()) {
                throw new IllegalStateException("refused without a reason", refused);
            }
        } finally {
            delete(folder);
        }
    }

    /** Any bytes as a backup. */
    public static void backup(byte[] data) throws IOException {
        try (BackupReader reader = new BackupReader(new ByteArrayInputStream(data), "fuzz")) {
            reader.read(entry -> {});
        } catch (SnapshotException refused) {
            if (String.valueOf(refused.getMessage()).isEmpty()) {
                throw new IllegalStateException("refused without a reason", refused);
            }
        }
    }

    private static byte[] withChecksums(byte[] data) {
        byte[] magic = SnapshotFormat.magic();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(magic);
        byte[] frames = data.length >= magic.length && Arrays.equals(Arrays.copyOf(data, magic.length), magic)
                ? Arrays.copyOfRange(data, magic.length, data.length)
                : data;
        int at = 0;
        while (frames.length - at >= FRAME_HEAD_BYTES) {
            int length = ByteBuffer.wrap(frames).getInt(at);
            if (length < 0 || length > frames.length - at - FRAME_HEAD_BYTES) {
                break;
            }
            CRC32C crc = new CRC32C();
            crc.update(frames, at + FRAME_HEAD_BYTES, length);
            out.writeBytes(ByteBuffer.allocate(FRAME_HEAD_BYTES)
                    .putInt(length)
                    .putInt((int) crc.getValue())
                    .array());
            out.write(frames, at + FRAME_HEAD_BYTES, length);
            at += FRAME_HEAD_BYTES + length;
        }
        out.write(frames, at, frames.length - at);
        return out.toByteArray();
    }
}
