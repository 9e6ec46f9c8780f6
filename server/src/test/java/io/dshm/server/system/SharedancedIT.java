package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A start script that was written for sharedanced starts this program as well. */
class SharedancedIT {

    private static final Path LAUNCHER =
            Path.of("../deploy/bin/sharedanced").toAbsolutePath().normalize();
    private static final Pattern PROCESS = Pattern.compile("it runs, process (\\d+), log in");
    private static final long PATIENCE_SECONDS = 60;

    @TempDir
    Path folder;

    private final int port = Ports.free();
    private final String textPort = "" + Ports.free();

    private record Ended(int status, String output) {}

    private static Process start(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(key -> key.startsWith("DSHM_"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("DSHM_JAVA_OPTS", "-Xmx128m");
        return builder.start();
    }

    private static Ended run(String... arguments) throws IOException, InterruptedException {
        Process process = start(List.of(arguments));
        String output = Sharedance.text(process.getInputStream().readAllBytes());
        assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), output);
    }

    private void awaitStored(String key) throws InterruptedException {
        Await.until(
                "it stores",
                () -> Sharedance.ask(port, Sharedance.store(key, "v")).equals("OK\n"));
    }

    private void assertExpires(String key) throws IOException, InterruptedException {
        assertEquals("v", Sharedance.ask(port, Sharedance.fetch(key)));
        Await.until(
                "it expires", () -> Sharedance.ask(port, Sharedance.fetch(key)).isEmpty());
    }

    @Test
    void the_long_options_mean_what_they_meant() throws Exception {
        Process process = start(List.of(
                "--ip=127.0.0.1",
                "--port=" + port,
                "--backlog=100",
                "--directory=" + folder,
                "--readsize=4096",
                "--maxreadsize=10",
                "--expiration=2",
                "--timeout=1",
                "--debug",
                "--",
                "--port",
                textPort));
        try {
            awaitStored("k");
            assertExpires("k");
            assertEquals("OK\n", Sharedance.ask(port, Sharedance.store("k", "0123456789")));
            assertEquals("", Sharedance.ask(port, Sharedance.store("k", "0123456789+")), "one byte too many");
            assertEquals("", Sharedance.ask(port, new byte[] {'S'}), "it closes by itself");
            // Of the process itself, destroy would close what it has still to say.
            process.toHandle().destroy();
            String output = Sharedance.text(process.getInputStream().readAllBytes());
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), output);
            assertTrue(output.contains("--readsize has no meaning any more"), output);
            assertTrue(output.contains("DEBUG closed "), output);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void the_short_options_run_it_in_the_background_as_another_user() throws Exception {
        boolean root = "root".equals(System.getProperty("user.name"));
        List<String> arguments = new ArrayList<>(List.of("-i", "127.0.0.1", "-p", "" + port, "-b", "100"));
        arguments.addAll(List.of("-d", folder.toString(), "-r", "1", "-R", "1000", "-e", "2", "-t", "5", "-D", "-B"));
        if (root) {
            Files.setOwner(
                    folder,
                    folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
            arguments.addAll(List.of("-u", "nobody", "-g", "nogroup"));
        }
        arguments.addAll(List.of("--", "--port", textPort));
        Ended launcher = run(arguments.toArray(new String[0]));
        assertEquals(0, launcher.status, launcher.output);
        Matcher running = PROCESS.matcher(launcher.output);
        assertTrue(running.find(), launcher.output);
        ProcessHandle node = ProcessHandle.of(Long.parseLong(running.group(1))).orElseThrow();
        try {
            assertEquals(
                    Optional.of(root ? "nobody" : System.getProperty("user.name")),
                    node.info().user());
            awaitStored("k");
            assertExpires("k");
            Ended second = run("-i", "127.0.0.1", "-p", "" + port, "-d", folder.toString(), "-B");
            assertEquals(1, second.status);
            assertTrue(second.output.contains("port " + port + " is taken"), second.output);
            node.destroy();
            node.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            String log = Files.readString(folder.resolve("ngx-dshm.log"));
            assertTrue(log.contains("n1 has stopped"), log);
        } finally {
            node.destroyForcibly();
        }
    }

    @Test
    void what_cannot_be_is_said() throws IOException, InterruptedException {
        Ended usage = run();
        assertEquals(0, usage.status);
        for (String option : "ip port backlog directory readsize maxreadsize expiration timeout debug daemonize uid gid"
                .split(" ", -1)) {
            assertTrue(usage.output.contains("--" + option), usage.output);
        }
        assertFalse(usage.output.contains("set -e"), usage.output);
        assertRefused(2, "unrecognized option '--frob'", "--frob");
        assertRefused(2, "--maxreadsize is 1 to 33554432", "-R", "33554433", "-d", folder.toString());
        assertRefused(1, "there is no folder /does/not/exist", "-d", "/does/not/exist");
        assertRefused(2, "--sharedance-expiration-seconds", "-e", "soon", "-d", folder.toString());
        assertRefused(2, "--sharedance-expiration-seconds", "-e", "soon", "-d", folder.toString(), "-B");
        try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertRefused(
                    1,
                    "cannot start: another program uses port " + port + " of 127.0.0.1",
                    "-i",
                    "127.0.0.1",
                    "-p",
                    "" + taken.getLocalPort(),
                    "-d",
                    folder.toString(),
                    "--",
                    "--port",
                    textPort);
        }
    }

    private static void assertRefused(int status, String message, String... arguments)
            throws IOException, InterruptedException {
        Ended refused = run(arguments);
        assertEquals(status, refused.status, refused.output);
        assertTrue(refused.output.contains(message), refused.output);
    }
}
