package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
        assertEquals(FRESH, probe("tuned"));
        assertEquals(
                KEPT,
                probe("untuned"),
                "by itself, the library keeps hundreds of them for each thread, with all their bytes");
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

    private static String probe(String how) throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        List.of(java, "-cp", System.getProperty("java.class.path"), Probe.class.getName(), how))
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
}
