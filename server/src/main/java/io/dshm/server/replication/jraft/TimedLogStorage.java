package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.dshm.server.replication.jraft.repairs.DelegatingLogStorage;
import java.util.List;

/** Takes the time of each write to the log, which returns when the entries are on the disk. On the log's own thread. */
final class TimedLogStorage extends DelegatingLogStorage {

    private final RaftCounts counts;

    TimedLogStorage(LogStorage storage, RaftCounts counts) {
        super(storage);
        this.counts = counts;
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        long started = System.nanoTime();
        boolean appended = super.appendEntry(entry);
        counts.appended(System.nanoTime() - started);
        return appended;
    }

    @Override
    public int appendEntries(List<LogEntry> entries) {
        long started = System.nanoTime();
        int appended = super.appendEntries(entries);
        counts.appended(System.nanoTime() - started);
        return appended;
    }
}
