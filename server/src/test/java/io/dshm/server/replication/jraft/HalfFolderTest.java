package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotMetaTable;
import io.dshm.server.replication.log.LogDamage;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.system.NodeProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is in the parts of a data folder, as Raft opens them. That they are there at all, {@code NodeFolderTest} shows. */
class HalfFolderTest {

    private static final long OWNER = 7;
    private static final PeerId SELF = new PeerId("127.0.0.1", 1);
    private static final PeerId OTHER = new PeerId("127.0.0.1", 2);

    @TempDir
    Path parent;

    private Path folder = Path.of("");
    private final List<String> refusals = new ArrayList<>();

    @BeforeAll
    static void load() {
        ProtobufMsgFactory.load();
    }

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createDirectories(parent.resolve("data"));
        DataParts.mark(folder, OWNER);
        Progress.create(folder, OWNER).close();
    }

    /** Ten entries in term 3, with a vote for the other node. */
    private void run() throws IOException {
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            append(log, 1, 10);
            log.shutdown();
            TermStorage terms = openTerms(progress);
            terms.setTermAndVotedFor(3, PeerId.emptyPeer());
            terms.setTermAndVotedFor(3, OTHER);
            terms.shutdown();
        }
        assertEquals(List.of(), refusals);
    }

    private CheckedLogStorage openLog(Progress progress) {
        CheckedLogStorage log = new CheckedLogStorage(
                new SegmentLogStorage(
                        folder.resolve(DataParts.LOG),
                        SegmentLogStorage.settings(
                                1 << 20, 1 << 30, new DiskSpace(folder, 0, 1, () -> Long.MAX_VALUE))),
                folder,
                progress,
                new DiskSpace(folder, 1 << 20, 1, () -> Long.MAX_VALUE / 2),
                refusals::add);
        LogStorageOptions options = new LogStorageOptions();
        options.setGroupId("g");
        options.setConfigurationManager(new ConfigurationManager());
        options.setLogEntryCodecFactory(LogEntryV2CodecFactory.getInstance());
        assertEquals(log.init(options), refusals.isEmpty());
        return log;
    }

    private TermStorage openTerms(Progress progress) {
        TermStorage terms = new TermStorage(
                folder.resolve(DataParts.META).toString(),
                new RaftOptions(),
                SELF,
                0,
                new TermStorage.Terms(),
                progress,
                refusals::add);
        RaftMetaStorageOptions options = new RaftMetaStorageOptions();
        options.setNode(new NodeImpl("g", SELF));
        assertEquals(terms.init(options), refusals.isEmpty());
        return terms;
    }

    private static void append(CheckedLogStorage log, long first, long last) {
        List<LogEntry> entries = new ArrayList<>();
        for (long index = first; index <= last; index++) {
            LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_DATA);
            entry.setId(new LogId(index, 3));
            entry.setData(ByteBuffer.wrap(new byte[8]));
            entries.add(entry);
        }
        assertEquals(entries.size(), log.appendEntries(entries));
    }

    private static void readAll(CheckedLogStorage log) {
        for (long index = 1; index <= 10; index++) {
            assertNotNull(log.getEntry(index));
        }
    }

    /** What is said when the parts are opened again. */
    private List<String> reopen() throws IOException {
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            if (refusals.isEmpty()) {
                log.shutdown();
                openTerms(progress).shutdown();
            }
        }
        return refusals;
    }

    /** The files whose name contains that. */
    private void deleteIn(String part, String piece) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve(part))) {
            for (Path file : files.filter(f -> f.getFileName().toString().contains(piece))
                    .toList()) {
                Files.delete(file);
            }
        }
    }

    private void copy(Path from, Path to) throws IOException {
        NodeProcess.deleteTree(to);
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private void snapshotAt(long index) throws IOException {
        Path snapshot =
                Files.createDirectories(folder.resolve(DataParts.SNAPSHOT).resolve("snapshot_" + index));
        LocalSnapshotMetaTable table = new LocalSnapshotMetaTable(new RaftOptions());
        table.setMeta(SnapshotMeta.newBuilder()
                .setLastIncludedIndex(index)
                .setLastIncludedTerm(3)
                .build());
        table.saveToFile(snapshot.resolve("__raft_snapshot_meta").toString());
    }

    enum Half {
        LOG_EMPTIED(DataParts.LOG) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.deleteIn(DataParts.LOG, "");
            }
        },
        SEGMENTS_DELETED(DataParts.LOG) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.deleteIn(DataParts.LOG, ".segment");
            }
        },
        A_BYTE_CHANGED(DataParts.LOG) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                assertTrue(
                        LogDamage.flipByte(test.folder.resolve(DataParts.LOG)).isPresent());
            }
        },
        OLDER_LOG(DataParts.LOG) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                Path log = test.folder.resolve(DataParts.LOG);
                Path copy = test.parent.resolve("copy");
                test.copy(log, copy);
                try (Progress progress = Progress.open(test.folder, OWNER)) {
                    CheckedLogStorage opened = test.openLog(progress);
                    append(opened, 11, 11);
                    opened.shutdown();
                }
                test.copy(copy, log);
            }
        },
        LOG_EMPTIED_BESIDE_AN_OLDER_SNAPSHOT(DataParts.LOG) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.snapshotAt(9);
                test.deleteIn(DataParts.LOG, "");
            }
        },
        VOTE_DELETED(DataParts.META) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.deleteIn(DataParts.META, "raft_meta");
            }
        },
        VOTE_EMPTIED(DataParts.META) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                Files.write(test.folder.resolve(DataParts.META).resolve("raft_meta"), new byte[0]);
            }
        },
        OLDER_TERM(DataParts.META) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.olderVote(4, OTHER);
            }
        },
        OLDER_VOTE_OF_THE_SAME_TERM(DataParts.META) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                try (Progress progress = Progress.open(test.folder, OWNER)) {
                    test.openTerms(progress).setTermAndVotedFor(4, PeerId.emptyPeer());
                }
                test.olderVote(4, SELF);
            }
        },
        SNAPSHOTS_LIST_DELETED(DataParts.SNAPSHOT) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.snapshotAt(10);
                test.deleteIn(DataParts.SNAPSHOT + "/snapshot_10", "__raft_snapshot_meta");
            }
        },
        SNAPSHOTS_LIST_EMPTIED(DataParts.SNAPSHOT) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.snapshotAt(10);
                Files.write(
                        test.folder.resolve(DataParts.SNAPSHOT).resolve("snapshot_10/__raft_snapshot_meta"),
                        new byte[0]);
            }
        },
        LOG_AND_VOTE_EMPTIED(DataParts.LOG) {
            @Override
            void make(HalfFolderTest test) throws IOException {
                test.deleteIn(DataParts.LOG, "");
                test.deleteIn(DataParts.META, "");
            }
        };

        private final String named;

        Half(String named) {
            this.named = named;
        }

        abstract void make(HalfFolderTest test) throws IOException;
    }

    private void olderVote(long term, PeerId vote) throws IOException {
        Path file = folder.resolve(DataParts.META).resolve("raft_meta");
        byte[] before = Files.readAllBytes(file);
        try (Progress progress = Progress.open(folder, OWNER)) {
            openTerms(progress).setTermAndVotedFor(term, vote);
        }
        Files.write(file, before);
    }

    @ParameterizedTest
    @EnumSource
    void a_node_does_not_start_with_a_part_of_what_it_had(Half half) throws IOException {
        run();
        half.make(this);
        List<String> said = reopen();
        assertEquals(1, said.size(), said::toString);
        assertTrue(said.get(0).contains(folder.resolve(half.named).toString()), said::toString);
        refusals.clear();
        assertEquals(1, reopen().size(), "nor the next time");
    }

    @Test
    void a_node_starts_with_all_that_it_had() throws IOException {
        run();
        assertEquals(List.of(), reopen());
        assertEquals(List.of(), reopen());
    }

    /** A file that cannot be read is no damage: what is there may be whole. */
    @Test
    void a_disk_that_fails_is_no_reason_to_delete_anything() throws IOException {
        run();
        Path log = folder.resolve(DataParts.LOG);
        List<Path> segments;
        try (Stream<Path> files = Files.list(log)) {
            segments =
                    files.filter(file -> file.toString().endsWith(".segment")).toList();
        }
        for (Path segment : segments) {
            Files.delete(segment);
            Files.createDirectory(
                    segment); // to read it fails as on a disk that does: with an exception of no kind of its own
        }
        List<String> said = reopen();
        assertEquals(1, said.size(), said::toString);
        assertTrue(said.get(0).contains(log.toString()), said::toString);
        assertFalse(said.get(0).contains("delete"), said::toString);
    }

    @Test
    void what_is_left_tells_how_much_is_missing() throws IOException {
        run();
        deleteIn(DataParts.LOG, ".segment");
        OfflineState.Extent left = OfflineState.read(folder, new StateMachine(new ClusterClock(System::nanoTime)));
        try (Progress progress = Progress.open(folder, OWNER)) {
            assertEquals(10, left.missingUpTo(progress));
            assertEquals(0, new OfflineState.Extent(10, 10, 3).missingUpTo(progress));
        }
    }

    @Test
    void entries_that_a_new_leader_has_cut_off_are_not_missed() throws IOException {
        run();
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            assertTrue(log.truncateSuffix(6));
            log.shutdown();
        }
        assertEquals(List.of(), reopen());
    }

    /** As when the other nodes have lost their data and founded a cluster anew: this node may have the last copy. */
    @Test
    void entries_that_were_applied_are_never_cut_off() throws IOException {
        run();
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            progress.applied(8);
            assertTrue(log.truncateSuffix(9));
            append(log, 10, 10);
            log.shutdown();
        }
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            assertTrue(log.truncateSuffix(8));
            assertEquals(List.of(), refusals);
            assertFalse(log.truncateSuffix(7), "also after a restart");
            assertFalse(log.reset(8));
            assertEquals(8, log.getLastLogIndex());
            log.shutdown();
        }
        assertEquals(2, refusals.size());
        assertTrue(refusals.get(0).contains("entries up to 8 that are committed"), refusals::toString);
    }

    /** The library takes an entry that is not there for one of another leader, and cuts the log off before it. */
    @Test
    void an_entry_that_cannot_be_read_ends_the_node() throws IOException {
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            append(log, 1, 10);
            readAll(log);
            Path file = LogDamage.flipByte(folder.resolve(DataParts.LOG)).orElseThrow();
            assertNull(log.getEntry(11), "no such entry");
            assertEquals(List.of(), refusals);
            assertThrows(UncheckedIOException.class, () -> readAll(log));
            assertEquals(1, refusals.size());
            assertTrue(refusals.get(0).contains(file + " is damaged at offset "), refusals::toString);
            log.shutdown();
            assertNull(log.getEntry(5), "closed");
            assertEquals(1, refusals.size());
        }
    }

    @Test
    void a_snapshot_holds_what_the_log_no_longer_does() throws IOException {
        run();
        snapshotAt(20);
        try (Progress progress = Progress.open(folder, OWNER)) {
            CheckedLogStorage log = openLog(progress);
            assertTrue(log.reset(21));
            log.shutdown();
        }
        assertEquals(List.of(), reopen());
        deleteIn(DataParts.LOG, "");
        assertEquals(List.of(), reopen(), "nothing is lost that the snapshot does not have");
    }
}
