package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.storage.LogStorage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the last entry at hand. Every heartbeat asks for its term, and the storage below would read all of it back from
 * disk for that, ten times a second and for each follower.
 *
 * <p>Thread-safe as the storage below: the log manager appends and truncates on one thread and reads on others.
 */
public final class LastEntryLogStorage extends DelegatingLogStorage {

    private volatile @Nullable LogEntry last;

    public LastEntryLogStorage(LogStorage storage) {
        super(storage);
    }

    @Override
    public @Nullable LogEntry getEntry(long index) {
        LogEntry candidate = last;
        return candidate != null && candidate.getId().getIndex() == index ? candidate : super.getEntry(index);
    }

    @Override
    @Deprecated
    public long getTerm(long index) {
        LogEntry entry = getEntry(index);
        return entry == null ? 0 : entry.getId().getTerm();
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        boolean appended = super.appendEntry(entry);
        last = appended ? entry : null;
        return appended;
    }

    @Override
    public int appendEntries(List<LogEntry> entries) {
        int appended = super.appendEntries(entries);
        last = appended == entries.size() && appended > 0 ? entries.get(appended - 1) : null;
        return appended;
    }

    @Override
    public boolean truncatePrefix(long firstIndexKept) {
        LogEntry candidate = last;
        if (candidate != null && candidate.getId().getIndex() < firstIndexKept) {
            last = null;
        }
        return super.truncatePrefix(firstIndexKept);
    }

    @Override
    public boolean truncateSuffix(long lastIndexKept) {
        last = null;
        return super.truncateSuffix(lastIndexKept);
    }

    @Override
    public boolean reset(long nextLogIndex) {
        last = null;
        return super.reset(nextLogIndex);
    }
}
