package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.JRaftUtils;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import io.dshm.server.replication.log.LogRecord;
import io.dshm.server.replication.log.SegmentedLog;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The library's entries as records of our log. A change of members is four lists: voters, learners, and both before the
 * change; each a count of 2 bytes and that many addresses, each a length of 2 bytes and its characters.
 */
final class EntryRecords {

    private static final byte[] NO_MEMBERS = {};

    private EntryRecords() {}

    /** How much of the log it takes. */
    static long bytes(LogEntry entry) {
        return SegmentedLog.bytesOf(members(entry).length, data(entry).remaining());
    }

    /** Appends all of them, or none that may be counted on. */
    static void append(SegmentedLog log, List<LogEntry> entries) throws IOException {
        long bytes = 0;
        for (LogEntry entry : entries) {
            bytes += bytes(entry);
        }
        log.begin(bytes);
        for (LogEntry entry : entries) {
            LogId id = entry.getId();
            log.add(id.getIndex(), id.getTerm(), entry.getType().getNumber(), members(entry), data(entry));
        }
        log.commit();
    }

    private static ByteBuffer data(LogEntry entry) {
        return entry.getData() == null ? LogEntry.EMPTY_DATA : entry.getData();
    }

    /** Empty in all but changes of members. */
    private static byte[] members(LogEntry entry) {
        if (entry.getType() != EntryType.ENTRY_TYPE_CONFIGURATION) {
            return NO_MEMBERS;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            write(out, entry.getPeers());
            write(out, entry.getLearners());
            write(out, entry.getOldPeers());
            write(out, entry.getOldLearners());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, @Nullable List<PeerId> peers) throws IOException {
        out.writeShort(peers == null ? 0 : peers.size());
        if (peers != null) {
            for (PeerId peer : peers) {
                out.writeUTF(peer.toString());
            }
        }
    }

    static LogEntry entry(LogRecord record) throws IOException {
        EntryType type = EntryType.forNumber(record.type());
        if (type == null || type == EntryType.ENTRY_TYPE_UNKNOWN) {
            throw new IOException("the entry at index " + record.index() + " has the type " + record.type()
                    + ", which this release does not know");
        }
        LogEntry entry = new LogEntry(type);
        entry.setId(new LogId(record.index(), record.term()));
        if (record.data().length > 0) {
            entry.setData(ByteBuffer.wrap(record.data()));
        }
        if (record.members().length > 0) {
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(record.members()))) {
                entry.setPeers(read(in));
                entry.setLearners(read(in));
                entry.setOldPeers(read(in));
                entry.setOldLearners(read(in));
            }
        }
        return entry;
    }

    /** Null if there are none, as the library has it. */
    private static @Nullable List<PeerId> read(DataInputStream in) throws IOException {
        int count = in.readUnsignedShort();
        List<PeerId> peers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            peers.add(JRaftUtils.getPeerId(in.readUTF()));
        }
        return count == 0 ? null : peers;
    }
}
