package io.dshm.server;

import ch.qos.logback.classic.LoggerContext;
import io.dshm.server.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/** Chooses the log's configuration, before anything is logged, and has everything written before the process ends. */
final class Logging {

    private static final String LOGBACK_FILE_PROPERTY = "logback.configurationFile";

    /** Named after the older program's property, which users' own logback.xml refer to. */
    private static final String LOG_DIR_PROPERTY = "ngx-distributed-shm.log_dir";

    private Logging() {}

    /**
     * A logback.xml of the user's own wins; else the log goes to a file in that folder, or to the terminal.
     *
     * @param json whether each line is a JSON object
     * @throws ConfigException if the folder cannot be written: a node without a log is not started
     */
    static void configure(Optional<Path> logDir, boolean json) {
        logDir.ifPresent(Logging::requireWritable);
        logDir.ifPresent(dir -> System.setProperty(LOG_DIR_PROPERTY, dir.toString()));
        boolean usersOwn = System.getProperty(LOGBACK_FILE_PROPERTY) != null
                || Logging.class.getClassLoader().getResource("logback.xml") != null;
        if (!usersOwn) {
            String target = logDir.isPresent() ? "file" : "terminal";
            System.setProperty(LOGBACK_FILE_PROPERTY, "dshm-log-to-" + target + (json ? "-json" : "") + ".xml");
        }
    }

    private static void requireWritable(Path folder) {
        try {
            Files.createDirectories(folder);
            // What the user may do counts, not what the permissions say: root may write where they forbid it.
            Files.delete(Files.createTempFile(folder, "dshm", ".tmp"));
        } catch (IOException e) {
            throw new ConfigException("log-dir: cannot write to " + folder + ": " + StartFailure.reason(e));
        }
    }

    /** Writes what asynchronous appenders still hold; nothing can be logged afterwards. */
    static void finish() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.stop();
        }
    }
}
