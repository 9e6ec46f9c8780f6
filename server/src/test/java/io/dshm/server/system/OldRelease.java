package io.dshm.server.system;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Assumptions;

/**
 * The release that a rolling upgrade begins with, compiled from the repository's history: nothing is as true to it as its own
 * code. Its sources are compiled against the libraries of today, which takes some seconds, once for a {@code target} folder.
 */
final class OldRelease {

    /** The newest commit of format 1. */
    private static final String COMMIT = "4d5bd5cfab430942c0da01d9836b9b53fed3f090";

    private static final Path FOLDER =
            Path.of("target/releases", COMMIT.substring(0, 7)).toAbsolutePath();
    private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();
    private static final long STEP_SECONDS = 300;

    private OldRelease() {}

    /** The class path that a node of it runs with. Skips the test where the history is not there: in a shallow clone, for instance. */
    static String classPath() throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                run(REPOSITORY, "git", "cat-file", "-e", COMMIT + "^{commit}") == 0,
                "no commit " + COMMIT + " in this repository: the release before cannot be built");
        Path classes = FOLDER.resolve("classes");
        Path done = FOLDER.resolve("done");
        if (!Files.exists(done)) {
            build(classes);
            Files.createFile(done);
        }
        return classes + File.pathSeparator + libraries();
    }

    private static void build(Path classes) throws IOException, InterruptedException {
        NodeProcess.deleteTree(FOLDER);
        Path sources = FOLDER.resolve("sources");
        Files.createDirectories(sources);
        Path archive = FOLDER.resolve("sources.tar");
        require(REPOSITORY, "git", "archive", "--output", archive.toString(), COMMIT);
        require(FOLDER, "tar", "-x", "-f", archive.toString(), "-C", sources.toString());
        require(sources, "mvn", "-o", "-q", "-B", "-ntp", "-Denforcer.skip", "-pl", "proto", "generate-sources");
        compile(sources, classes);
        Path resources = sources.resolve("server/src/main/resources");
        for (Path resource : files(resources, "")) {
            Path target = classes.resolve(resources.relativize(resource).toString());
            Files.createDirectories(target.getParent());
            Files.copy(resource, target);
        }
    }

    private static void compile(Path sources, Path classes) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String folder : List.of("proto/src/main/java", "proto/target/generated-sources", "server/src/main/java")) {
            files.addAll(files(sources.resolve(folder), ".java"));
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(
                            null,
                            manager,
                            null,
                            List.of(
                                    "-proc:none",
                                    "-nowarn",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    "-d",
                                    classes.toString()),
                            null,
                            manager.getJavaFileObjectsFromPaths(files))
                    .call();
            if (!compiled) {
                throw new IOException("commit " + COMMIT + " cannot be compiled");
            }
        }
    }

    /** Those of this build, without our own. */
    private static String libraries() throws IOException {
        return files(NodeProcess.jar().resolveSibling("lib"), ".jar").stream()
                .filter(jar -> !jar.getFileName().toString().startsWith("dshm-"))
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static List<Path> files(Path folder, String end) throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(end))
                    .toList();
        }
    }

    private static void require(Path in, String... command) throws IOException, InterruptedException {
        int status = run(in, command);
        if (status != 0) {
            throw new IOException(Arrays.toString(command) + " ended with status " + status);
        }
    }

    private static int run(Path in, String... command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command).directory(in.toFile()).inheritIO().start();
        if (!process.waitFor(STEP_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(Arrays.toString(command) + " takes more than " + STEP_SECONDS + " s");
        }
        return process.exitValue();
    }
}
