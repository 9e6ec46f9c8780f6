package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.error.RetryAgainException;
import com.alipay.sofa.jraft.storage.io.LocalDirReader;
import com.alipay.sofa.jraft.util.ByteBufferCollector;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** The library's settings, in a process of their own: it reads them once. */
class RaftTuningTest {

    private static final String FRESH = "fresh";
    private static final String KEPT = "kept";

    @Test
    void buffers_of_requests_are_not_kept_by_the_threads_that_send() throws IOException, InterruptedException {
        assertEquals(FRESH, probe(Probe.class, "tuned"));
        assertEquals(
                KEPT,
                probe(Probe.class, "untuned"),
                "by itself, the library keeps hundreds of them for each thread, with all their bytes");
    }

    /** If it grew by the library's steps of 1 KiB, it would be copied a thousand times. */
    @Test
    void a_piece_of_a_snapshot_is_read_into_a_buffer_that_has_room_for_it(@TempDir Path folder)
            throws IOException, InterruptedException {
        Path file = Files.write(folder.resolve("file"), new byte[RaftTuning.PIECE_BYTES + 1]);
        assertEquals("1048576 bytes, room for 1048576, then for 1048576", probe(PieceProbe.class, file.toString()));
    }

    @Test
    void what_rocksdb_writes_about_itself_does_not_grow_with_every_start(@TempDir Path folder)
            throws IOException, RocksDBException {
        RocksDB.loadLibrary();
        for (int start = 0; start < 4 * RocksDbLog.INFO_FILES_MAX; start++) {
            try (DBOptions log = RocksDbLog.options();
                    Options options = new Options(log, new ColumnFamilyOptions()).setCreateIfMissing(true);
                    RocksDB opened = RocksDB.open(options, folder.toString())) {
                assertEquals(folder.toString(), opened.getName());
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            long about = files.filter(f -> f.getFileName().toString().startsWith("LOG"))
                    .count();
            assertTrue(about <= RocksDbLog.INFO_FILES_MAX, about + " files");
        }
    }

    private static String probe(Class<?> program, String argument) throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        List.of(java, "-cp", System.getProperty("java.class.path"), program.getName(), argument))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertEquals(0, process.waitFor());
        return said.lines().reduce("", (first, last) -> last);
    }

    /** Says whether a buffer that was given back is handed out again. */
    static final class Probe {
        public static void main(String[] arguments) {
            if (arguments[0].equals("tuned")) {
                RaftTuning.setProperties();
            }
            ByteBufferCollector buffer = ByteBufferCollector.allocateByRecyclers(1024);
            buffer.recycle();
            System.out.println(ByteBufferCollector.allocateByRecyclers(1024) == buffer ? KEPT : FRESH);
        }
    }

    /** Reads a piece of that file as a node does for another one that copies its snapshot. */
    static final class PieceProbe {
        public static void main(String[] arguments) throws IOException, RetryAgainException {
            RaftTuning.setProperties();
            Path file = Path.of(arguments[0]);
            ByteBufferCollector collector = ByteBufferCollector.allocate();
            int room = collector.capacity();
            int read = new LocalDirReader(String.valueOf(file.getParent()))
                    .readFile(collector, String.valueOf(file.getFileName()), 0, RaftTuning.PIECE_BYTES);
            System.out.println(read + " bytes, room for " + room + ", then for " + collector.capacity());
        }
    }
}
