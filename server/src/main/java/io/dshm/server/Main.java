package io.dshm.server;

import io.dshm.server.admin.NodeInfo;
import io.dshm.server.config.ConfigException;
import io.dshm.server.config.ConfigLoader;
import io.dshm.server.replication.jraft.RaftGroup;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts a node, and stops it in good order when the process is asked to end. */
public final class Main {

    private static final int STOPPED = 0;
    private static final int CANNOT_START = 1;
    private static final int WRONG_OPTION = 2;

    private Main() {}

    /** See {@code --help}. */
    public static void main(String[] arguments) {
        Optional<ConfigLoader.Loaded> loaded;
        try {
            PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, Charset.defaultCharset()), true);
            loaded = new ConfigLoader(System.getenv(), System.getProperties(), out).load(arguments);
            if (loaded.isPresent()) {
                Logging.configure(loaded.get().logDir(), loaded.get().logsJson());
            }
        } catch (ConfigException e) {
            System.err.println("dshm-server: " + e.getMessage());
            System.exit(WRONG_OPTION);
            return;
        }
        if (loaded.isPresent()) {
            RaftGroup.prepareProcess();
            run(loaded.get());
        }
    }

    private static void run(ConfigLoader.Loaded loaded) {
        Logger log = LoggerFactory.getLogger(Main.class);
        try {
            Server server = new Server(loaded.config());
            NodeInfo info = server.info();
            ServiceManager manager = ServiceManager.of(System.getenv(), info::problems, info::hang);
            if (manager != null) {
                manager.start();
            }
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, manager, log), "stop"));
            server.start();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Throwable e) {
            // Errors too: a native library that cannot be loaded is one, and a node that has half started must not go
            // on.
            log.error(
                    "{} cannot start: {}",
                    loaded.config().node(),
                    StartFailure.reason(e, loaded.source(), loaded.config().dataDir()));
            log.debug("where it failed", e);
            Logging.finish();
            // Not exit: the shutdown hook would try to stop what never ran.
            Runtime.getRuntime().halt(CANNOT_START);
        }
    }

    private static void stop(Server server, @Nullable ServiceManager manager, Logger log) {
        try {
            if (manager != null) {
                manager.stopping();
            }
            server.stop();
            Logging.finish();
            // Without this, the exit status would be that of a process that a signal has ended.
            Runtime.getRuntime().halt(STOPPED);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException | RuntimeException e) {
            log.error("the stop was not clean; nothing acknowledged is lost by that", e);
        }
    }
}
