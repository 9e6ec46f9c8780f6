package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.entity.LocalFileMetaOutter.LocalFileMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.option.SnapshotCopierOptions;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotStorage;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotWriter;
import com.google.protobuf.Message;
import io.dshm.proto.snapshot.FileSync;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the last snapshot until a copied one is whole and on the disk. The library deletes it for whatever the leader's
 * disk gave, and does not say when a file that it copied cannot be synced.
 *
 * <p>A copy that is damaged is thrown away: this node goes on with the data that it has, and after a pause the leader
 * sends its snapshot again, or a newer one. The library copies one snapshot at a time, on a thread of its own.
 */
public final class CheckedCopies extends LocalSnapshotStorage {

    private static final Logger LOG = LoggerFactory.getLogger(CheckedCopies.class);

    /**
     * After a damaged copy. Longer than a leader puts off its next snapshot because the last one is being copied, see
     * {@link SnapshotPace}.
     */
    private static final long PAUSE_SECONDS = 15;

    /** Where the library writes a snapshot that is not whole yet. */
    private static final String TEMPORARY = "temp";

    /** Compares a file with its checksum. */
    @FunctionalInterface
    public interface Check {

        /**
         * What is wrong with a file; null if it is whole.
         *
         * @throws IOException if it cannot be read
         */
        @Nullable
        String damage(Path file, String checksum) throws IOException;
    }

    private final RaftOptions options;
    private final String temporary;
    private final Check check;
    private volatile @Nullable LocalSnapshotCopier copier;

    /** Snapshots in that folder. */
    public CheckedCopies(String folder, RaftOptions options, Check check) {
        super(folder, null, options);
        this.options = options;
        this.temporary = Path.of(folder, TEMPORARY).toString();
        this.check = check;
    }

    @Override
    public @Nullable SnapshotCopier startToCopyFrom(String uri, SnapshotCopierOptions copierOptions) {
        LocalSnapshotCopier copying = new LocalSnapshotCopier();
        copying.setStorage(this);
        if (!copying.init(uri, copierOptions)) {
            LOG.error("no snapshot can be copied from {}", uri);
            return null;
        }
        copier = copying;
        copying.start();
        return copying;
    }

    /** For a snapshot of this node's own state: who writes it has its checksums, and syncs it. */
    @Override
    public @Nullable SnapshotWriter create() {
        return super.create(true);
    }

    /** For a copy. */
    @Override
    public @Nullable SnapshotWriter create(boolean fromEmpty) {
        LocalSnapshotCopier copying = copier;
        if (copying == null || super.create(fromEmpty) == null) {
            return null;
        }
        Copy copy = new Copy(copying);
        return copy.init(null) ? copy : null;
    }

    private final class Copy extends LocalSnapshotWriter {

        private final LocalSnapshotCopier copying;

        Copy(LocalSnapshotCopier copying) {
            super(temporary, CheckedCopies.this, options);
            this.copying = copying;
        }

        /** A file has been copied; false ends this node, with an error of its disk. */
        @Override
        public boolean addFile(String name, Message meta) {
            Path file = Path.of(getPath(), name);
            try {
                check(file, ((LocalFileMeta) meta).getChecksum());
            } catch (InterruptedException | ClosedByInterruptException e) {
                LOG.info("no more is copied: a newer snapshot is there, or another leader, or this node stops");
                Thread.currentThread().interrupt();
                copying.setError(RaftError.ECANCELED, "cancelled");
            } catch (IOException e) {
                LOG.error("{} is not on the disk, or cannot be read", file, e);
                return false;
            }
            return super.addFile(name, meta);
        }

        private void check(Path file, String checksum) throws IOException, InterruptedException {
            FileSync.sync(file);
            FileSync.sync(Path.of(getPath()));
            String damage = check.damage(file, checksum);
            if (damage == null) {
                return;
            }
            LOG.error(
                    "the snapshot that the leader sends is thrown away, and this node goes on with what it has: {}. The"
                            + " leader's disk may be damaged; its next snapshot is written anew. It is asked again in {} s",
                    damage,
                    PAUSE_SECONDS);
            copying.setError(RaftError.EINTERNAL, "%s", damage);
            // The leader waits for the end of this copy, and so does not send the same at once.
            TimeUnit.SECONDS.sleep(PAUSE_SECONDS);
        }
    }
}
