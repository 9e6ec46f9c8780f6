package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A log that is kept by another one. Passes everything on; subclasses add to what they override. Thread-safe as the
 * other one.
 */
public abstract class DelegatingLogStorage implements LogStorage {

    private final LogStorage storage;

    /** In front of that storage. */
    protected DelegatingLogStorage(LogStorage storage) {
        this.storage = storage;
    }

    @Override
    public boolean init(LogStorageOptions options) {
        return storage.init(options);
    }

    @Override
    public void shutdown() {
        storage.shutdown();
    }

    @Override
    public long getFirstLogIndex() {
        return storage.getFirstLogIndex();
    }

    @Override
    public long getLastLogIndex() {
        return storage.getLastLogIndex();
    }

    @Override
    public @Nullable LogEntry getEntry(long index) {
        return storage.getEntry(index);
    }

    @Override
    @Deprecated
    public long getTerm(long index) {
        return storage.getTerm(index);
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        return storage.appendEntry(entry);
    }

    @Override
    public int appendEntries(List<LogEntry> entries) {
        return storage.appendEntries(entries);
    }

    @Override
    public boolean truncatePrefix(long firstIndexKept) {
        return storage.truncatePrefix(firstIndexKept);
    }

    @Override
    public boolean truncateSuffix(long lastIndexKept) {
        return storage.truncateSuffix(lastIndexKept);
    }

    @Override
    public boolean reset(long nextLogIndex) {
        return storage.reset(nextLogIndex);
    }
}
