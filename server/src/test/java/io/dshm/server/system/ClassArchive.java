package io.dshm.server.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * An archive of the server's classes, with which the tests' nodes start with half of the work. It is made once for each
 * build, by a node that starts and stops.
 */
final class ClassArchive {

    private static final Path FILE = Path.of("target/node-classes.jsa").toAbsolutePath();
    private static final String MADE_AT_EXIT = "-XX:ArchiveClassesAtExit=" + FILE;
    private static final List<String> OPTIONS = List.of("-Xlog:cds*=error", "-XX:SharedArchiveFile=" + FILE);

    private ClassArchive() {}

    /** What a JVM is to be told that has these options already. */
    static synchronized List<String> options(List<String> others) throws IOException {
        if (others.contains(MADE_AT_EXIT)) {
            return List.of();
        }
        if (!Files.exists(FILE)
                || Files.getLastModifiedTime(FILE).compareTo(Files.getLastModifiedTime(NodeProcess.jar())) < 0) {
            make();
        }
        return OPTIONS;
    }

    private static void make() throws IOException {
        NodeProcess node = new NodeProcess(
                        "n1", Path.of("target/system/ClassArchive").toAbsolutePath())
                .withJvm("-Xlog:cds*=error", MADE_AT_EXIT);
        try {
            node.start();
            node.awaitHealthy();
            node.terminate();
            node.awaitEnd();
            node.dispose();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + FILE + " was made", e);
        } finally {
            node.killSoon();
        }
        if (!Files.exists(FILE)) {
            throw new IOException("no " + FILE + " was made: " + node.log());
        }
    }
}
