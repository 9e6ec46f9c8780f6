package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.dshm.server.replication.jraft.repairs.DelegatingLogStorage;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Takes the time of each write to the log, which returns when the entries are on the disk, and says of which terms
 * entries have come. On the log's own thread.
 */
final class TimedLogStorage extends DelegatingLogStorage {

    private final RaftCounts counts;
    private final LongConsumer came;

    /** @param came is told the term of entries before they are written */
    TimedLogStorage(LogStorage storage, RaftCounts counts, LongConsumer came) {
        super(storage);
        this.counts = counts;
        this.came = came;
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        came.accept(entry.getId().getTerm());
        long started = System.nanoTime();
        boolean appended = super.appendEntry(entry);
        counts.appended(System.nanoTime() - started);
        return appended;
    }

    @Override
    public int appendEntries(List<LogEntry> entries) {
        long term = 0;
        for (LogEntry entry : entries) {
            if (entry.getId().getTerm() != term) {
                term = entry.getId().getTerm();
                came.accept(term);
            }
        }
        long started = System.nanoTime();
        int appended = super.appendEntries(entries);
        counts.appended(System.nanoTime() - started);
        return appended;
    }
}
