package io.dshm.client.cli;

import static io.dshm.client.cli.ReadWords.KEY;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Request;
import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Words about those who hold something of a limit. */
final class HolderWords {

    private static final Option HOLDER = new Option("--holder", "ID", "Who: a name that nobody else has.");
    private static final Option TTL = new Option("--ttl", "TIME", "For how long: seconds, or 30m, 2h, 7d.");

    static final List<Word> ALL = List.of(
            new Word(
                    "acquire",
                    List.of("ACQUIRE"),
                    "Asks for a permit, or renews the holder's; exit status 1 if none is free.",
                    List.of(KEY, new Parameter("LIMIT", "1", "How many may have one at a time.")),
                    List.of(HOLDER, TTL),
                    new Request(
                            a -> new Command.Acquire(
                                    a.key(0), a.count(1, "LIMIT", Limits.TOKENS_MAX), id(a, "--holder"), ttl(a)),
                            Replies::decision)),
            new Word(
                    "release",
                    List.of("RELEASE"),
                    "Gives a permit back.",
                    List.of(KEY),
                    List.of(HOLDER),
                    new Request(a -> new Command.Release(a.key(0), id(a, "--holder")), Replies::done)));

    private HolderWords() {}

    private static Key id(Arguments arguments, String option) throws CliException {
        String id = arguments.option(option);
        byte[] bytes = (id == null ? "" : id).getBytes(StandardCharsets.UTF_8);
        boolean valid = bytes.length > 0 && bytes.length <= Limits.HOLDER_BYTES_MAX;
        for (byte character : bytes) {
            valid &= Key.mayContain(character);
        }
        if (!valid) {
            throw CliException.usage(
                    option + " is 1 to " + Limits.HOLDER_BYTES_MAX + " bytes without a space and control characters");
        }
        return Key.of(bytes);
    }

    private static long ttl(Arguments arguments) throws CliException {
        long millis = arguments.millis("--ttl", 0);
        if (millis < 1 || millis > Limits.PERIOD_MILLIS_MAX) {
            throw CliException.usage("--ttl is 1 ms to " + Limits.PERIOD_MILLIS_MAX / 1000 + " s");
        }
        return millis;
    }
}
