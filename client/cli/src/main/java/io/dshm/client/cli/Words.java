package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Request;
import io.dshm.client.cli.Word.Tool;
import io.dshm.proto.Command;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All words. */
final class Words {

    private static final Parameter KEY = new Parameter("KEY", "1", "The key, with its region: sessions::abc.");
    private static final Parameter VALUE =
            new Parameter("VALUE", "1", "The value; - is what stdin has, @FILE what a file has, @@x is @x.");
    private static final Option TTL =
            new Option("--ttl", "TIME", "How long it lives: seconds, or 30m, 2h, 7d. Without it: for ever.");
    private static final Option RAW = new Option("--raw", "", "Nothing but the bytes of the value, no line end.");

    /** In the order in which the help shows them. */
    static final List<Word> ALL = List.of(
            new Word(
                    "get",
                    List.of("GET"),
                    "Shows the value of a key.",
                    List.of(KEY),
                    List.of(RAW),
                    new Request(a -> new Command.Get(a.key(0), a.readMode()), Replies::value)),
            new Word(
                    "set",
                    List.of("SET"),
                    "Stores a value, whatever was there.",
                    List.of(KEY, VALUE),
                    List.of(TTL),
                    new Request(a -> new Command.Set(a.key(0), a.millis("--ttl", 0), a.value(1)), Replies::done)),
            new Word(
                    "incr",
                    List.of("INCR"),
                    "Adds to an integer, and shows the new one.",
                    List.of(KEY, new Parameter("BY", "0..1", "What to add; 1 if it is left out.")),
                    List.of(
                            new Option("--init", "N", "What an absent key counts from; 0 if it is left out."),
                            new Option("--ttl", "TIME", "How long a key lives that was absent.")),
                    new Request(
                            a -> new Command.Incr(
                                    a.key(0), a.integer(1, "BY", 1), a.integer("--init", 0), a.millis("--ttl", 0)),
                            Replies::integer)),
            new Word(
                    "status",
                    List.of(),
                    "Shows all nodes in one table.",
                    List.of(),
                    List.of(),
                    new Tool(StatusTable::run)));

    private Words() {}

    /** The word with that name, or null. */
    static @Nullable Word named(String name) {
        for (Word word : ALL) {
            if (word.name().equals(name)) {
                return word;
            }
        }
        return null;
    }
}
