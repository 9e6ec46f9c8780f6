package io.dshm.server.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.statemachine.BackupFiles;
import io.dshm.server.statemachine.SnapshotFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScheduledBackupsTest {

    @TempDir
    Path folder;

    private long wallMillis = 1_700_000_000_000L;
    private int snapshots;

    private SnapshotFiles snapshot(boolean confirmed) throws IOException {
        assertTrue(confirmed, "a backup of a node that is cut off would pass for a new one");
        return BackupFiles.snapshot(folder.resolve("snapshot" + snapshots++), BackupFiles.someState(), 512);
    }

    private ScheduledBackups scheduled(int keep, long keepSeconds, Backups.Source source) {
        return new ScheduledBackups(
                new ScheduledBackups.Settings(folder.resolve("backups"), 3600, keep, keepSeconds),
                "c-n1",
                new Backups("c", "n1", () -> List.of("n1=h:1:11"), source, () -> wallMillis),
                () -> wallMillis);
    }

    private List<String> made() throws IOException {
        try (Stream<Path> all = Files.list(folder.resolve("backups"))) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void a_backup_is_whole_and_says_what_it_is() throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("backups"));
        try (ScheduledBackups backups = scheduled(3, 0, this::snapshot)) {
            assertEquals(-1L, backups.status().get("backupAgeSeconds"));
            backups.makeOne();
            wallMillis += 5_000;
            assertEquals(5L, backups.status().get("backupAgeSeconds"));
        }
        assertEquals(List.of("c-n1-20231114T221320000Z.dshm"), made());
        Path file = folder.resolve("backups").resolve(made().get(0));
        try (var reader = BackupFiles.open(file)) {
            assertEquals("n1", reader.head().getNode());
            assertEquals("c", reader.head().getCluster());
            long[] entries = {0};
            reader.read(entry -> entries[0]++);
            assertEquals(reader.head().getEntryCount(), entries[0]);
        }
    }

    @Test
    void as_many_as_wanted_are_kept_and_files_of_others_are_not_touched() throws IOException, InterruptedException {
        Path others = Files.createDirectories(folder.resolve("backups"));
        Files.writeString(others.resolve("c-n2-20201114T221320000Z.dshm"), "another node's");
        Files.writeString(others.resolve("notes.txt"), "an operator's");
        try (ScheduledBackups backups = scheduled(2, 0, this::snapshot)) {
            for (int i = 0; i < 4; i++) {
                backups.makeOne();
                wallMillis += 1_000;
            }
        }
        assertEquals(
                List.of(
                        "c-n1-20231114T221322000Z.dshm",
                        "c-n1-20231114T221323000Z.dshm",
                        "c-n2-20201114T221320000Z.dshm",
                        "notes.txt"),
                made());
    }

    @Test
    void old_ones_are_deleted_but_never_the_newest() throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("backups"));
        try (ScheduledBackups backups = scheduled(9, 10, this::snapshot)) {
            backups.makeOne();
            wallMillis += 60_000;
            backups.makeOne();
            assertEquals(List.of("c-n1-20231114T221420000Z.dshm"), made());
        }
    }

    @Test
    void when_the_clock_goes_back_then_what_was_just_made_stays() throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("backups"));
        try (ScheduledBackups backups = scheduled(2, 0, this::snapshot)) {
            backups.makeOne();
            wallMillis += 1_000;
            backups.makeOne();
            wallMillis -= 3_600_000;
            backups.makeOne();
            assertEquals(List.of("c-n1-20231114T211321000Z.dshm", "c-n1-20231114T221321000Z.dshm"), made());
            assertEquals(0L, backups.status().get("backupAgeSeconds"));
        }
    }

    @Test
    void the_backups_of_a_cluster_that_was_lost_are_not_deleted_by_those_of_the_next_one()
            throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("backups"));
        try (ScheduledBackups backups = scheduled(1, 10, this::snapshot)) {
            backups.makeOne();
        }
        try (ScheduledBackups backups = scheduled(
                1,
                10,
                confirmed -> BackupFiles.snapshot(
                        folder.resolve("snapshot" + snapshots++), BackupFiles.littleState(), 512))) {
            for (int i = 0; i < 3; i++) {
                wallMillis += 60_000;
                backups.makeOne();
            }
        }
        assertEquals(List.of("c-n1-20231114T221320000Z.dshm", "c-n1-20231114T221620000Z.dshm"), made());
    }

    @Test
    void a_failure_leaves_nothing_behind() throws IOException {
        Files.createDirectories(folder.resolve("backups"));
        try (ScheduledBackups backups = scheduled(9, 0, confirmed -> {
            throw new IOException("no leader");
        })) {
            assertThrows(IOException.class, backups::makeOne);
        }
        assertEquals(List.of(), made());
    }

    @Test
    void a_snapshot_that_is_damaged_on_the_disk_makes_no_backup() throws IOException {
        Files.createDirectories(folder.resolve("backups"));
        Path damaged = Files.write(folder.resolve("damaged"), new byte[100]);
        try (ScheduledBackups backups =
                scheduled(9, 0, confirmed -> new SnapshotFiles(1, 1, 1, List.of(FileChannel.open(damaged))))) {
            IOException refused = assertThrows(IOException.class, backups::makeOne);
            assertTrue(String.valueOf(refused.getMessage()).contains("is no snapshot file"), refused::toString);
        }
        assertEquals(List.of(), made());
    }

    @Test
    void the_age_of_what_is_there_counts_after_a_restart_and_half_a_file_is_deleted() throws IOException {
        Path backups = Files.createDirectories(folder.resolve("backups"));
        Files.writeString(backups.resolve("c-n1-20231114T221310000Z.dshm"), "whole");
        Files.writeString(backups.resolve("c-n1-20231114T221319000Z.dshm.part"), "half");
        try (ScheduledBackups started = scheduled(9, 0, this::snapshot)) {
            assertEquals(3_590, started.look());
            assertEquals(10L, started.status().get("backupAgeSeconds"));
        }
        assertEquals(List.of("c-n1-20231114T221310000Z.dshm"), made());
    }
}
