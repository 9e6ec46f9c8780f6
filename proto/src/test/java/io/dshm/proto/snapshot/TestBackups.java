package io.dshm.proto.snapshot;

import com.google.protobuf.ByteString;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.SnapshotEntries;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotRegion;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.zip.CRC32C;

/** Small backups, made by hand. */
public final class TestBackups {

    private TestBackups() {}

    /** One part of a snapshot with these keys. */
    public static byte[] part(int number, boolean last, int format, String... keys) throws IOException {
        return part(number, last, format, List.of(), keys);
    }

    /** The same with limits of regions. */
    public static byte[] part(int number, boolean last, int format, List<SnapshotRegion> limits, String... keys)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(SnapshotFormat.magic());
        SnapshotHeader.Builder header =
                SnapshotHeader.newBuilder().setFormatVersion(format).setIndex(7).setPart(number);
        writeFrame(out, SnapshotFrame.newBuilder().setHeader(header));
        for (SnapshotRegion limit : limits) {
            writeFrame(out, SnapshotFrame.newBuilder().setRegion(limit));
        }
        SnapshotEntries.Builder entries = SnapshotEntries.newBuilder();
        for (String key : keys) {
            entries.addEntries(SnapshotEntry.newBuilder()
                    .setKey(ByteString.copyFromUtf8(key))
                    .setValue(ByteString.EMPTY));
        }
        writeFrame(out, SnapshotFrame.newBuilder().setEntries(entries));
        SnapshotFooter.Builder footer =
                SnapshotFooter.newBuilder().setEntryCount(keys.length).setLastPart(last);
        writeFrame(out, SnapshotFrame.newBuilder().setFooter(footer));
        return bytes.toByteArray();
    }

    private static void writeFrame(DataOutputStream out, SnapshotFrame.Builder frame) throws IOException {
        byte[] bytes = frame.build().toByteArray();
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        out.writeInt(bytes.length);
        out.writeInt((int) crc.getValue());
        out.write(bytes);
    }

    /** A backup with these pieces, a block each. */
    public static byte[] backup(byte[]... pieces) throws IOException {
        long length = 0;
        for (byte[] piece : pieces) {
            length += piece.length;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BackupHead head = BackupHead.newBuilder()
                .setCluster("c")
                .setNode("n1")
                .setIndex(8)
                .setContentBytes(length)
                .build();
        BackupWriter writer = new BackupWriter(bytes, head);
        for (byte[] piece : pieces) {
            writer.write(piece, piece.length);
        }
        writer.finish();
        return bytes.toByteArray();
    }
}
