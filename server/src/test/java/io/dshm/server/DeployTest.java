package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the files in {@code deploy} do without a node: the launcher's options, the quick start's errors, the unit. */
class DeployTest {

    private static final Path DEPLOY = Path.of("../deploy").toAbsolutePath().normalize();
    private static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";
    private static final String SMALL_OBJECTS = "-XX:+UseCompactObjectHeaders";

    private static final String TOUCHED = "-XX:+AlwaysPreTouch";

    @TempDir
    Path folder;

    /** How a command ended, and what it printed. */
    private record Ended(int status, List<String> lines) {}

    @Test
    void a_new_java_gets_the_option_without_which_each_start_warns_and_an_old_one_does_not_know_it()
            throws IOException, InterruptedException {
        assertTrue(launchedBy("25.0.1").lines().contains(UNSAFE));
        assertTrue(launchedBy("23").lines().contains(UNSAFE));
        Ended on17 = launchedBy("17.0.16");
        assertEquals(0, on17.status());
        assertFalse(on17.lines().contains(UNSAFE));
        assertTrue(on17.lines().contains("--node"), on17.lines()::toString);
        assertEquals(
                new Ended(1, List.of("dshm-server: " + folder.resolve("bin/java") + " is not Java 17 or newer")),
                launchedBy("11.0.2"));
    }

    @Test
    void objects_are_smaller_where_java_can_do_that_without_an_experimental_option()
            throws IOException, InterruptedException {
        assertTrue(launchedBy("25.0.3").lines().contains(SMALL_OBJECTS));
        assertFalse(launchedBy("24.0.2").lines().contains(SMALL_OBJECTS));
        assertFalse(launchedBy("17.0.15").lines().contains(SMALL_OBJECTS));
    }

    @Test
    void the_collector_has_little_to_copy_at_once_and_touches_the_heap_first_where_it_has_its_size_from_the_start_on()
            throws IOException, InterruptedException {
        List<String> usual = launchedBy("17.0.15").lines();
        assertTrue(usual.containsAll(List.of("-XX:+UseG1GC", "-XX:MaxNewSize=64m")), usual::toString);
        assertFalse(usual.contains(TOUCHED), "three nodes on one machine would take most of its memory");
        List<String> fixed = launchedBy("17.0.15", "-Xms2g -Xmx2g").lines();
        assertTrue(fixed.containsAll(List.of(TOUCHED, "-Xms2g", "-Xmx2g")), fixed::toString);
        List<String> other = launchedBy("25.0.3", "-XX:+UseZGC").lines();
        assertFalse(other.contains("-XX:MaxNewSize=64m"), "a setting of G1");
        assertFalse(other.contains("-XX:+UseG1GC"), "there can be one collector");
        List<String> words =
                launchedBy("17.0.15", "-XX:+UseNUMA -XX:MaxGCPauseMillis=50").lines();
        assertTrue(words.containsAll(usual), words::toString);
    }

    @Test
    void an_archive_of_classes_is_used_where_there_is_one_for_this_java_and_nobody_has_options_about_archives()
            throws IOException, InterruptedException {
        Path archive = folder.resolve("dshm-server-java17.jsa");
        String used = "-XX:SharedArchiveFile=" + archive;
        assertFalse(launchedBy("17.0.15").lines().contains(used), "there is none");
        Files.writeString(archive, "");
        assertTrue(launchedBy("17.0.15").lines().contains(used));
        assertFalse(launchedBy("17.0.15", "-Xshare:off").lines().contains(used));
        assertFalse(launchedBy("21.0.1").lines().contains(used), "it was made by another one");
        Files.createDirectory(folder.resolve("conf"));
        assertFalse(launchedBy("17.0.15").lines().contains(used), "Java would warn");
        assertEquals(
                new Ended(
                        1,
                        List.of("dshm-server: there can be no archive of classes while there is "
                                + folder.resolve("conf"))),
                launched("17.0.15", "", "--archive-classes"));
    }

    @Test
    void where_no_archive_of_classes_can_be_made_it_says_why_and_leaves_nothing()
            throws IOException, InterruptedException {
        Ended failed = launched("17.0.15", "", "--archive-classes");
        assertEquals(1, failed.status(), failed.lines()::toString);
        assertTrue(failed.lines().contains("--bind-address"), "what the Java of this test prints");
        assertEquals(
                "dshm-server: no archive was made; the lines before this one say why",
                failed.lines().get(failed.lines().size() - 1));
        try (Stream<Path> files = Files.list(folder)) {
            assertFalse(files.anyMatch(file -> file.toString().contains(".jsa")));
        }
    }

    private Ended launchedBy(String version) throws IOException, InterruptedException {
        return launchedBy(version, "");
    }

    private Ended launchedBy(String version, String javaOptions) throws IOException, InterruptedException {
        return launched(version, javaOptions, "--node", "n1");
    }

    /** Calls the launcher with a Java that only prints its arguments, a line each. */
    private Ended launched(String version, String javaOptions, String... arguments)
            throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("bin"));
        Files.writeString(folder.resolve("dshm-server.jar"), "");
        script(
                folder.resolve("bin/java"),
                "if [ \"$1\" = -version ]; then",
                "    echo 'openjdk version \"" + version + "\" 2025-01-01' >&2",
                "else",
                "    printf '%s\\n' \"$@\"",
                "fi");
        return run(
                Map.of("JAVA_HOME", folder.toString(), "DSHM_HOME", folder.toString(), "DSHM_JAVA_OPTS", javaOptions),
                DEPLOY.resolve("bin/dshm-server"),
                arguments);
    }

    @Test
    void the_quick_start_prints_why_a_build_failed_without_codes_for_colours()
            throws IOException, InterruptedException {
        Path checkout = folder.resolve("deploy/bin");
        Files.createDirectories(checkout);
        Files.copy(DEPLOY.resolve("bin/quickstart"), checkout.resolve("quickstart"));
        Path tools = Files.createDirectories(folder.resolve("tools"));
        script(tools.resolve("mvn"), "printf '[\\033[1;31mERROR\\033[m] no compiler\\n'", "exit 1");
        Ended ended = run(
                Map.of("PATH", tools + ":" + System.getenv("PATH"), "JAVA_HOME", System.getProperty("java.home")),
                checkout.resolve("quickstart"));
        assertEquals(
                new Ended(
                        1,
                        List.of(
                                "quickstart: building the server; the first time this takes some minutes",
                                "quickstart: the build failed: [ERROR] no compiler")),
                ended);
    }

    @Test
    void the_unit_starts_after_the_clock_is_set_and_leaves_a_node_down_that_stopped_to_protect_its_data()
            throws IOException {
        List<String> unit = Files.readAllLines(DEPLOY.resolve("systemd/dshm.service"));
        for (String setting : List.of("Wants", "After")) {
            assertTrue(words(unit, setting).contains("time-sync.target"), setting);
        }
        assertEquals(List.of("2", "70"), words(unit, "RestartPreventExitStatus"));
    }

    private static List<String> words(List<String> unit, String setting) {
        return unit.stream()
                .filter(line -> line.startsWith(setting + "="))
                .flatMap(line ->
                        Arrays.stream(line.substring(setting.length() + 1).split(" ")))
                .toList();
    }

    private static void script(Path file, String... lines) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Ended run(Map<String, String> environment, Path command, String... arguments)
            throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder("bash", command.toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        int status = process.waitFor();
        return new Ended(status, Files.readAllLines(output, StandardCharsets.UTF_8));
    }
}
