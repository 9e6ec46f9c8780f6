package io.dshm.server.statemachine;

import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Region;
import io.dshm.server.store.View;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A backup's state as a new cluster begins with it: what was chosen of the entries, and the clients with an identity of
 * their own, so that a write that one of them sends again does not take effect twice. Registrations of the old
 * cluster's nodes, the outcomes of their commands and values on their way stay behind: no node of the new cluster has
 * those origins, so a late copy of an old node's command has no effect there.
 */
public final class RestoredState implements StateSource {

    /** Opens the backup; it is read more than once. */
    @FunctionalInterface
    public interface Backup {
        BackupReader open() throws IOException;
    }

    /**
     * What of a backup is restored, and how.
     *
     * @param regions the names of the regions to be restored, the default region's being empty; all if there is none
     * @param withLimiters false leaves the rate limiters' use behind: they begin unused
     * @param ttlRemaining whether entries live for as long as they still had to live when the backup was made;
     *     otherwise the time since then counts, by the wall clock
     */
    public record Choice(Set<String> regions, boolean withLimiters, boolean ttlRemaining) {}

    private final Backup backup;
    private final Choice choice;
    private final BackupHead head;
    private final int checksum;
    private final SnapshotHeader header;
    private final List<SnapshotClient> clients;
    private final List<SnapshotRegion> regions;
    private final @Nullable SnapshotUsers users;
    private final long entryCount;

    private RestoredState(
            Reading reading, Backup backup, Choice choice, BackupHead head, int checksum, SnapshotHeader header) {
        this.backup = backup;
        this.choice = choice;
        this.head = head;
        this.checksum = checksum;
        this.clients = reading.clients;
        this.regions = reading.regions;
        this.users = reading.users;
        this.entryCount = reading.entryCount;
        SnapshotHeader.Builder begin = ClusterState.without(header).toBuilder().clearPart();
        if (choice.ttlRemaining()) {
            // Nothing is known of the time since then: a leader adds nothing.
            begin.clearWallMillis();
        }
        this.header = begin.build();
    }

    /**
     * Reads and verifies the whole backup.
     *
     * @throws io.dshm.proto.snapshot.SnapshotException if it is damaged, not whole or of another format; its message
     *     names the file and the offset
     * @throws IOException if it cannot be read, or has no entry in one of the regions; the message says which
     */
    public static RestoredState verify(Backup backup, Choice choice) throws IOException {
        Reading reading = new Reading(choice, (key, entry) -> {}, true);
        try (BackupReader reader = backup.open()) {
            SnapshotHeader header = SnapshotReader.read(reader, reading);
            Set<String> missing = new TreeSet<>(choice.regions());
            missing.removeAll(reading.regionsFound);
            if (!missing.isEmpty()) {
                throw new IOException("the backup has no entry in the region(s) " + missing);
            }
            return new RestoredState(reading, backup, choice, reader.head(), reader.checksum(), header);
        }
    }

    /** What the backup says of itself. */
    public BackupHead head() {
        return head;
    }

    /** A checksum of the whole backup. */
    public int checksum() {
        return checksum;
    }

    /** How many entries are restored. */
    public long entryCount() {
        return entryCount;
    }

    @Override
    public SnapshotHeader header() {
        return header;
    }

    @Override
    public void forEachOther(Consumer consumer) throws IOException {
        for (SnapshotRegion region : regions) {
            consumer.region(region);
        }
        if (users != null) {
            consumer.users(users);
        }
        for (SnapshotClient client : clients) {
            consumer.client(client);
        }
    }

    @Override
    public void forEachEntry(View.Consumer consumer) throws IOException {
        try (BackupReader reader = backup.open()) {
            SnapshotReader.read(reader, new Reading(choice, consumer, false));
        }
    }

    /** One time through the file. */
    private static final class Reading implements SnapshotReader.Target {

        final List<SnapshotClient> clients = new ArrayList<>();
        final List<SnapshotRegion> regions = new ArrayList<>();
        final Set<String> regionsFound = new TreeSet<>();

        @Nullable
        SnapshotUsers users;

        long entryCount;

        private final Choice choice;
        private final View.Consumer entries;
        private final boolean keepsOthers;

        Reading(Choice choice, View.Consumer entries, boolean keepsOthers) {
            this.choice = choice;
            this.entries = entries;
            this.keepsOthers = keepsOthers;
        }

        @Override
        public void entry(byte[] key, Entry entry) throws IOException {
            if (isChosen(key) && (choice.withLimiters() || !entry.isLimiter())) {
                entryCount++;
                entries.accept(key, entry);
            }
        }

        private boolean isChosen(byte[] key) {
            if (choice.regions().isEmpty()) {
                return true;
            }
            String region = new String(key, 0, Region.lengthIn(key), StandardCharsets.UTF_8);
            boolean chosen = choice.regions().contains(region);
            if (chosen) {
                regionsFound.add(region);
            }
            return chosen;
        }

        @Override
        public void client(SnapshotClient client) {
            if (keepsOthers) {
                clients.add(client);
            }
        }

        /** A limit goes with its region. */
        @Override
        public void region(SnapshotRegion region) {
            if (keepsOthers
                    && (choice.regions().isEmpty()
                            || choice.regions().contains(region.getRegion().toStringUtf8()))) {
                regions.add(region);
            }
        }

        /** Whatever is restored: without them, everybody might do everything. */
        @Override
        public void users(SnapshotUsers all) {
            if (keepsOthers) {
                users = all;
            }
        }

        @Override
        public void node(SnapshotNode node) {}

        @Override
        public void upload(SnapshotUpload upload) {}
    }
}
