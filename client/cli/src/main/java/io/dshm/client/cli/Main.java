package io.dshm.client.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The process. */
public final class Main {

    private static final int OUT_BYTES = 8192;

    private Main() {}

    /** See {@code --help}. */
    public static void main(String[] arguments) {
        PrintStream out = stream(FileDescriptor.out);
        PrintStream err = stream(FileDescriptor.err);
        ExitCode exitCode = new Cli(System.getenv(), System.in, out, err).run(arguments);
        System.exit(exitCode.number());
    }

    /** UTF-8, whatever the locale: values go through as they are. */
    private static PrintStream stream(FileDescriptor descriptor) {
        return new PrintStream(
                new BufferedOutputStream(new FileOutputStream(descriptor), OUT_BYTES), false, StandardCharsets.UTF_8);
    }
}
