package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.storage.LogStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** From a log in RocksDB to one in segments: whatever happens, one of the two is whole. */
class LogTakeOverTest {

    private static final long OWNER = 7;
    private static final long FIRST = 5;
    private static final long LAST = 30;

    @TempDir
    Path folder;

    private final List<LogEntry> entries = new ArrayList<>();
    private Progress progress;

    @BeforeAll
    static void load() {
        ProtobufMsgFactory.load();
    }

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @BeforeEach
    void makeOldLog() throws IOException {
        for (String part : List.of(DataParts.OLD_LOG, DataParts.META, DataParts.SNAPSHOT)) {
            Files.createDirectories(folder.resolve(part));
        }
        DataParts.mark(folder, OWNER);
        DataParts.prepareForFirstFormat(folder);
        LogStorage old = RocksDbLog.in(folder, new RaftOptions());
        assertTrue(old.init(LogTakeOver.storageOptions()));
        for (long index = 1; index <= LAST; index++) {
            LogEntry entry =
                    new LogEntry(index % 10 == 0 ? EntryType.ENTRY_TYPE_CONFIGURATION : EntryType.ENTRY_TYPE_DATA);
            entry.setId(new LogId(index, 1 + index / 12));
            entry.setData(ByteBuffer.wrap(new byte[(int) index * 100]));
            if (entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION) {
                entry.setData(LogEntry.EMPTY_DATA);
                entry.setPeers(List.of(new PeerId("127.0.0.1", 1), new PeerId("[::1]", 2)));
                entry.setOldPeers(index == 20 ? List.of(new PeerId("127.0.0.1", 1)) : null);
                entry.setLearners(index == 30 ? List.of(new PeerId("127.0.0.1", 3)) : null);
            }
            entries.add(entry);
        }
        assertEquals(LAST, old.appendEntries(entries));
        assertTrue(old.truncatePrefix(FIRST));
        old.shutdown();
        progress = Progress.create(folder, OWNER);
        progress.appended(LAST);
    }

    @AfterEach
    void close() throws IOException {
        progress.close();
    }

    private void check(LogStorage log) {
        LogStorageOptions options = LogTakeOver.storageOptions();
        ConfigurationManager members = new ConfigurationManager();
        options.setConfigurationManager(members);
        assertTrue(log.init(options));
        try {
            assertEquals(FIRST, log.getFirstLogIndex());
            assertEquals(LAST, log.getLastLogIndex());
            for (long index = FIRST; index <= LAST; index++) {
                LogEntry expected = entries.get((int) index - 1);
                assertEquals(expected, log.getEntry(index));
            }
            assertEquals(30, members.getLastConfiguration().getId().getIndex());
            assertEquals(
                    1, members.getLastConfiguration().getConf().getLearners().size());
            assertEquals(1, members.get(20).getOldConf().getPeers().size());
            assertEquals(2, members.get(19).getConf().getPeers().size());
        } finally {
            log.shutdown();
        }
    }

    private void checkTakenOver() throws IOException {
        DataParts.check(folder, OWNER);
        check(new SegmentLogStorage(folder.resolve(DataParts.LOG), null));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(
                    List.of("log", "meta", "progress", "raft-segments", "snapshot"),
                    left.map(path -> path.getFileName().toString()).sorted().toList());
        }
        Path forOldReleases = folder.resolve("log");
        assertTrue(Files.isRegularFile(forOldReleases, LinkOption.NOFOLLOW_LINKS), "no folder for an empty log");
    }

    @Test
    void the_new_log_holds_what_the_old_one_did() throws IOException {
        LogTakeOver.run(folder, OWNER, progress);
        checkTakenOver();
        LogTakeOver.run(folder, OWNER, progress);
        checkTakenOver();
    }

    @ParameterizedTest
    @EnumSource
    void after_a_kill_the_old_log_is_whole_or_the_new_one_is(LogTakeOver.Step step) throws IOException {
        LogTakeOver killed = new LogTakeOver(folder, OWNER, progress, each -> {
            if (each == step) {
                throw new Killed();
            }
        });
        assertThrows(Killed.class, killed::run);
        DataParts.check(folder, OWNER);
        DataParts.prepareForFirstFormat(folder);
        if (step.compareTo(LogTakeOver.Step.NAME_COPY) <= 0) {
            assertEquals(DataParts.OLD_LOG, DataParts.logIn(folder));
            check(RocksDbLog.in(folder, new RaftOptions()));
        } else {
            assertEquals(DataParts.LOG, DataParts.logIn(folder));
            check(new SegmentLogStorage(folder.resolve(DataParts.LOG), null));
        }
        LogTakeOver.run(folder, OWNER, progress);
        checkTakenOver();
    }

    @Test
    void half_an_old_log_that_was_not_deleted_to_its_end_does_no_harm() throws IOException {
        assertThrows(
                Killed.class,
                () -> new LogTakeOver(folder, OWNER, progress, each -> {
                            if (each == LogTakeOver.Step.DELETE_OLD_LOG) {
                                throw new Killed();
                            }
                        })
                        .run());
        try (Stream<Path> files = Files.list(folder.resolve(DataParts.OLD_LOG))) {
            Files.delete(files.sorted().findFirst().orElseThrow());
        }
        LogTakeOver.run(folder, OWNER, progress);
        checkTakenOver();
    }

    @Test
    void an_old_log_that_lacks_its_end_is_neither_taken_over_nor_deleted() throws IOException {
        progress.appended(LAST + 1);
        LogTakeOver.run(folder, OWNER, progress);
        assertEquals(DataParts.OLD_LOG, DataParts.logIn(folder));
        check(RocksDbLog.in(folder, new RaftOptions()));
    }

    @Test
    void the_old_log_stays_while_the_new_one_is_damaged() throws IOException {
        assertThrows(
                Killed.class,
                () -> new LogTakeOver(folder, OWNER, progress, each -> {
                            if (each == LogTakeOver.Step.TELL_OLD_RELEASES) {
                                throw new Killed();
                            }
                        })
                        .run());
        Path segment = folder.resolve(DataParts.LOG).resolve("0000000000000001.segment");
        try (FileChannel file = FileChannel.open(segment, StandardOpenOption.WRITE)) {
            file.truncate(8_000);
        }
        LogTakeOver.run(folder, OWNER, progress);
        check(RocksDbLog.in(folder, new RaftOptions()));
    }

    @Test
    void half_a_copy_is_made_anew() throws IOException {
        Path copy = Files.createDirectories(folder.resolve("raft-segments.new"));
        Files.writeString(copy.resolve("0000000000000001.segment"), "half");
        LogTakeOver.run(folder, OWNER, progress);
        checkTakenOver();
    }

    @Test
    void a_log_that_cannot_be_copied_stays() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve(DataParts.OLD_LOG))) {
            for (Path manifest :
                    files.filter(file -> file.toString().contains("MANIFEST")).toList()) {
                Files.delete(manifest);
            }
        }
        LogTakeOver.run(folder, OWNER, progress);
        assertEquals(DataParts.OLD_LOG, DataParts.logIn(folder));
        assertFalse(Files.exists(folder.resolve("raft-segments.new")));
    }

    /** Where the library has emptied a log, it puts an entry into RocksDB that is none of Raft's. */
    @Test
    void a_log_that_was_emptied_stays_empty() throws IOException {
        LogStorage old = RocksDbLog.in(folder, new RaftOptions());
        assertTrue(old.init(LogTakeOver.storageOptions()));
        assertTrue(old.reset(40));
        old.shutdown();
        LogTakeOver.run(folder, OWNER, progress);
        LogStorage taken = new SegmentLogStorage(folder.resolve(DataParts.LOG), null);
        assertTrue(taken.init(LogTakeOver.storageOptions()));
        assertEquals(40, taken.getFirstLogIndex());
        assertEquals(0, taken.getLastLogIndex());
        taken.shutdown();
    }
}
