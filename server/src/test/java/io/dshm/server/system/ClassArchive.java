package io.dshm.server.system;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The archive of the server's classes, with which the tests' nodes start with half of the work: made once for each build. */
final class ClassArchive {

    private static final Path LAUNCHER =
            Path.of("../deploy/bin/dshm-server").toAbsolutePath().normalize();
    private static final Path HOME = Path.of("target/dshm").toAbsolutePath();
    private static final Path FILE =
            HOME.resolve("dshm-server-java" + Runtime.version().feature() + ".jsa");
    private static final List<String> OPTIONS = List.of("-Xlog:cds*=error", "-XX:SharedArchiveFile=" + FILE);

    private ClassArchive() {}

    /** What a JVM is to be told so that it takes it. */
    static synchronized List<String> options() throws IOException {
        if (!Files.exists(FILE)
                || Files.getLastModifiedTime(FILE).compareTo(Files.getLastModifiedTime(NodeProcess.jar())) < 0) {
            make();
        }
        return OPTIONS;
    }

    private static void make() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(LAUNCHER.toString(), "--archive-classes").redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("DSHM_HOME", HOME.toString());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IOException("no " + FILE + " was made: " + said);
        }
    }
}
