package io.dshm.client.cli;

import io.dshm.proto.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who asks. The secret comes from a file only: what stands on a command line is seen by every user of the machine, and
 * kept in the shell's history; an environment is inherited by every program that is started.
 */
@SuppressWarnings("ArrayRecordComponent") // handed over
record Login(String user, byte[] secret) {

    /** As options and the environment say; null if they say nothing. */
    static @Nullable Login of(Arguments arguments, Map<String, String> environment) throws CliException {
        String user = said(arguments.option("--user"), environment.get("DSHM_USER"));
        String file = said(arguments.option("--secret-file"), environment.get("DSHM_SECRET_FILE"));
        if (user == null && file == null) {
            return null;
        }
        if (user == null || file == null) {
            throw CliException.usage("--user (DSHM_USER) and --secret-file (DSHM_SECRET_FILE) go together");
        }
        return new Login(user, secretIn(file));
    }

    private static @Nullable String said(@Nullable String option, @Nullable String variable) {
        return option != null ? option : variable;
    }

    /** All bytes of that file, but for one end of a line after them. */
    static byte[] secretIn(String file) throws CliException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            bytes = in.readNBytes(Limits.SECRET_BYTES_MAX + 3);
        } catch (IOException | InvalidPathException e) {
            throw new CliException(
                    ExitCode.USAGE, "no_secret", "the secret's file " + file + " cannot be read: " + e.getMessage());
        }
        int length = bytes.length;
        if (length > 0 && bytes[length - 1] == '\n') {
            length--;
            if (length > 0 && bytes[length - 1] == '\r') {
                length--;
            }
        }
        if (length == 0 || length > Limits.SECRET_BYTES_MAX) {
            throw new CliException(ExitCode.USAGE, "no_secret", "in " + file + " there is no secret");
        }
        return Arrays.copyOf(bytes, length);
    }

    /** What an admin port is told. */
    String basic() {
        byte[] name = (user + ":").getBytes(StandardCharsets.UTF_8);
        byte[] both = Arrays.copyOf(name, name.length + secret.length);
        System.arraycopy(secret, 0, both, name.length, secret.length);
        return "Basic " + Base64.getEncoder().encodeToString(both);
    }
}
