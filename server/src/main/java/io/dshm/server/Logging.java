package io.dshm.server;

import ch.qos.logback.classic.LoggerContext;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/** Chooses the log's configuration, before anything is logged, and has everything written before the process ends. */
final class Logging {

    private static final String LOGBACK_FILE_PROPERTY = "logback.configurationFile";

    /** Named after the older program's property, which users' own logback.xml refer to. */
    private static final String LOG_DIR_PROPERTY = "ngx-distributed-shm.log_dir";

    private Logging() {}

    /** A logback.xml of the user's own wins; else the log goes to a file in that folder, or to the terminal. */
    static void configure(Optional<Path> logDir) {
        logDir.ifPresent(dir -> System.setProperty(LOG_DIR_PROPERTY, dir.toString()));
        boolean usersOwn = System.getProperty(LOGBACK_FILE_PROPERTY) != null
                || Logging.class.getClassLoader().getResource("logback.xml") != null;
        if (!usersOwn) {
            System.setProperty(
                    LOGBACK_FILE_PROPERTY, logDir.isPresent() ? "dshm-log-to-file.xml" : "dshm-log-to-terminal.xml");
        }
    }

    /** Writes what asynchronous appenders still hold; nothing can be logged afterwards. */
    static void finish() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.stop();
        }
    }
}
