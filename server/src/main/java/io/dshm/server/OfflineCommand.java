package io.dshm.server;

import io.dshm.server.config.ConfigException;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.statemachine.StateTooLargeException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;

/**
 * How a command runs that works on a data folder whose node does not run.
 *
 * @param name as its errors begin
 * @param command with picocli's annotations
 * @param reason what is told of a failure
 */
record OfflineCommand(String name, Callable<Integer> command, Function<Exception, String> reason) {

    /** Exit statuses, as the commands' help says. */
    static final int DONE = 0;

    static final int USAGE = 2;
    static final int REFUSED = 3;

    /** Runs the command as a process of its own, and ends that. */
    void runAndExit(String... arguments) {
        System.setProperty("dshm.log.level", "warn");
        Logging.configure(Optional.empty(), false);
        RaftGroup.prepareProcess();
        System.exit(run(writer(System.out), writer(System.err), arguments));
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, Charset.defaultCharset());
    }

    /** Runs the command; its exit status. */
    int run(PrintWriter out, PrintWriter err, String... arguments) {
        return new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(out)
                .setErr(err)
                .setExecutionExceptionHandler((failure, line, parsed) -> {
                    boolean wrongOption = failure instanceof ConfigException;
                    boolean refused = failure instanceof IOException || failure instanceof StateTooLargeException;
                    if (!wrongOption && !refused) {
                        throw failure;
                    }
                    err.println(name + ": " + reason.apply(failure));
                    return wrongOption ? USAGE : REFUSED;
                })
                .execute(arguments);
    }
}
