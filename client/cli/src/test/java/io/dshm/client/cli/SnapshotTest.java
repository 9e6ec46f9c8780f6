package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Formats;
import io.dshm.proto.snapshot.TestBackups;
import io.dshm.proto.wire.SnapshotRegion;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotTest {

    @TempDir
    Path folder;

    private byte[] good = {};
    private Path file = Path.of("");

    @BeforeEach
    void makeBackup() throws IOException {
        good = TestBackups.backup(
                TestBackups.part(
                        0,
                        false,
                        Formats.NEWEST,
                        List.of(limit("a", true), limit("e", false)),
                        "a::1",
                        "a::2",
                        "plain"),
                TestBackups.part(1, true, Formats.NEWEST, "b::1"));
        file = Files.write(folder.resolve("x.dshm"), good);
    }

    private static SnapshotRegion limit(String region, boolean evicts) {
        return SnapshotRegion.newBuilder()
                .setRegion(ByteString.copyFromUtf8(region))
                .setBytesMax(1000)
                .setEvicts(evicts)
                .build();
    }

    private static Run run(String... words) {
        return Run.of(Map.of(), "", words);
    }

    @Test
    void verify_says_what_is_whole() {
        Run run = run("snapshot", "verify", file.toString());
        assertEquals(ExitCode.OK, run.exitCode(), run::err);
        assertTrue(
                run.out().startsWith(file + " is whole: 4 entries as of index 8 of cluster c, made by n1"), run::out);
    }

    @Test
    void verify_says_where_and_how_a_file_is_damaged() throws IOException {
        Files.write(file, Arrays.copyOf(good, good.length - 3));
        Run cut = run("snapshot", "verify", file.toString());
        assertEquals(ExitCode.NO, cut.exitCode());
        assertTrue(cut.err().contains(file + ", offset ") && cut.err().contains("is cut off"), cut::err);
        byte[] newer = good.clone();
        newer[11]++;
        Files.write(file, newer);
        Run refused = run("snapshot", "verify", file.toString(), "--json");
        assertEquals(ExitCode.NO, refused.exitCode());
        assertTrue(refused.out().contains("newer_format"), refused::out);
        assertEquals(ExitCode.USAGE, run("snapshot", "verify", folder + "/none").exitCode());
    }

    @Test
    void inspect_shows_regions_keys_and_values() {
        String regions = run("snapshot", "inspect", file.toString()).out();
        assertTrue(regions.contains("\n:       1") && regions.contains("\na       2"), regions);
        String json = run("snapshot", "inspect", file.toString(), "--json").out();
        assertTrue(json.contains("\"region\":\"a\",\"entries\":2"), json);
        assertTrue(json.contains("\"limitBytes\":1000,\"policy\":\"evict\""), json);
        assertTrue(regions.lines().anyMatch(line -> line.matches("a +2 .* 1000 evict")), regions);
        assertTrue(regions.lines().anyMatch(line -> line.matches("e +0 +0 +0 +- .* 1000 refuse")), regions);
        assertEquals(
                "a::1\nb::1\n",
                run("snapshot", "inspect", file.toString(), "--keys", "?::1").out());
        Run value = run("snapshot", "inspect", file.toString(), "--get", "a::2");
        assertEquals("\n", value.out());
        assertEquals(
                ExitCode.NO,
                run("snapshot", "inspect", file.toString(), "--get", "a::3").exitCode());
    }

    /** Serves these bytes as the answer to one request. */
    private static String serve(ServerSocket listener, byte[] answer) {
        Thread thread = new Thread(() -> {
            try (Socket client = listener.accept();
                    OutputStream out = client.getOutputStream()) {
                out.write(answer);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
    }

    private static byte[] http(String status, byte[] body) {
        byte[] head = ("HTTP/1.1 " + status + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
        byte[] all = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, all, head.length, body.length);
        return all;
    }

    private Run save(byte[] answer, String to) throws IOException {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return run("--admin", serve(listener, answer), "snapshot", "save", to);
        }
    }

    @Test
    void save_writes_what_it_has_verified() throws IOException {
        Path saved = folder.resolve("saved.dshm");
        Run run = save(http("200 OK", good), saved.toString());
        assertEquals(ExitCode.OK, run.exitCode(), run::err);
        assertTrue(Arrays.equals(good, Files.readAllBytes(saved)));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(saved)));
        Run again = run("--admin", "127.0.0.1:1", "snapshot", "save", saved.toString());
        assertEquals(ExitCode.REFUSED, again.exitCode());
        assertTrue(again.err().contains("is there already"), again::err);
    }

    @Test
    void save_leaves_nothing_behind_when_the_backup_is_not_whole() throws IOException {
        Path saved = folder.resolve("saved.dshm");
        Run cut = save(http("200 OK", Arrays.copyOf(good, good.length - 1)), saved.toString());
        assertEquals(ExitCode.UNAVAILABLE, cut.exitCode());
        assertTrue(cut.err().contains("is cut off"), cut::err);
        Run refused = save(
                http("503 Service Unavailable", "no leader\n".getBytes(StandardCharsets.US_ASCII)), saved.toString());
        assertEquals(ExitCode.UNAVAILABLE, refused.exitCode());
        assertTrue(refused.err().contains("no leader"), refused::err);
        assertFalse(Files.exists(saved));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(
                    List.of(),
                    left.filter(path -> path.toString().endsWith(".part")).toList());
        }
    }

    @Test
    void the_progress_is_a_bar_and_a_rate() {
        assertEquals(
                "[###############               ]  50 %  10.0 MB  5.0 MB/s",
                SnapshotSave.progress(1_000, 2_000, 10_000_000, 2));
        assertTrue(SnapshotSave.progress(0, 0, 0, 0).contains("100 %"));
    }
}
