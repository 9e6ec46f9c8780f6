package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.impl.RocksDBLogStorage;
import com.alipay.sofa.jraft.util.StorageOptionsFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.DBOptions;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.RocksDB;
import org.rocksdb.WALRecoveryMode;

/**
 * The log as releases that read format 1 only keep it. A node whose folder has one goes on with it until its cluster
 * has switched to format 2: as long as the node may go back to such a release. The next start after that copies it, see
 * {@link LogTakeOver}. When no cluster of format 1 is left, this goes, and RocksDB with it.
 */
final class RocksDbLog {

    /** The native library is unpacked here, in a node's data folder. */
    static final String LIBRARIES = "lib";

    /** The write-ahead log; RocksDB would let it grow to a GiB. */
    private static final long WAL_BYTES_MAX = 256L * 1024 * 1024;

    /** What RocksDB writes about itself, in files named LOG in the log's folder: so large each, and so many. */
    private static final long INFO_BYTES_MAX = 4L * 1024 * 1024;

    static final long INFO_FILES_MAX = 3;

    private static boolean loaded;

    private RocksDbLog() {}

    /** The storage of a node's log in RocksDB; it is not open yet. */
    static LogStorage in(Path folder, RaftOptions options) {
        try {
            load(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new RocksDBLogStorage(folder.resolve(DataParts.OLD_LOG).toString(), options);
    }

    private static synchronized void load(Path folder) throws IOException {
        if (!loaded) {
            // Into a folder of this node's own: the default is the temporary folder, where every hard kill leaves a
            // copy.
            Path libraries = Files.createDirectories(folder.resolve(LIBRARIES));
            NativeLibraryLoader.getInstance().loadLibrary(libraries.toString());
            RocksDB.loadLibrary();
            StorageOptionsFactory.registerRocksDBOptions(RocksDBLogStorage.class, options());
            loaded = true;
        }
    }

    static DBOptions options() {
        return StorageOptionsFactory.getDefaultRocksDBOptions()
                .setMaxTotalWalSize(WAL_BYTES_MAX)
                .setMaxLogFileSize(INFO_BYTES_MAX)
                .setKeepLogFileNum(INFO_FILES_MAX)
                // Half a record at the very end is what a power cut leaves. Anything else is damage, and to go on
                // before
                // it, as RocksDB would by itself, forgets entries that this node has acknowledged.
                .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    }
}
