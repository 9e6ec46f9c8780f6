package io.dshm.client.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * The process. The launcher says which of stdin and stdout is a terminal, by the properties {@code dshm.stdin} and
 * {@code dshm.stdout} with the value {@code terminal}: Java 17 knows it only of both together.
 */
public final class Main {

    private static final int OUT_BYTES = 8192;
    private static final int FAULT = 70;

    private Main() {}

    /** See {@code --help}. */
    public static void main(String[] words) {
        if (Boolean.getBoolean("dshm.warm-up")) {
            WarmUp.run();
            return;
        }
        PrintStream err = stream(FileDescriptor.err);
        Output output = new Output(stream(FileDescriptor.out), err, isTerminal("dshm.stdout"), false);
        int status;
        try {
            status = new Cli(System.getenv(), System.in, isTerminal("dshm.stdin") && output.isTerminal(), output)
                    .run(words)
                    .number();
        } catch (RuntimeException e) {
            err.print("dshm: this is a fault of the command itself; please report it\n");
            e.printStackTrace(err);
            err.flush();
            status = FAULT;
        }
        System.exit(status);
    }

    private static boolean isTerminal(String property) {
        return "terminal".equals(System.getProperty(property));
    }

    /** UTF-8, whatever the locale: values go through as they are. */
    private static PrintStream stream(FileDescriptor descriptor) {
        return new PrintStream(
                new BufferedOutputStream(new FileOutputStream(descriptor), OUT_BYTES), false, StandardCharsets.UTF_8);
    }
}
