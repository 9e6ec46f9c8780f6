package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Request;
import io.dshm.client.cli.Word.Tool;
import io.dshm.proto.Command;
import java.util.List;

/** Words that read, and change nothing. */
final class ReadWords {

    static final Parameter KEY = new Parameter("KEY", "1", "The key, with its region: sessions::abc.");
    static final Parameter REGION =
            new Parameter("REGION", "0..1", "The region, : for the default one; or that of --region.");
    static final Option RAW = new Option("--raw", "", "Only the bytes of the value, without a line end.");
    private static final Option STALE =
            new Option("--stale", "", "Finds an entry that has expired and is not yet purged, too.");

    static final List<Word> ALL = List.of(
            new Word(
                    "get",
                    List.of("GET"),
                    "Shows the value of a key.",
                    List.of(KEY),
                    List.of(RAW),
                    new Request(a -> new Command.Get(a.key(0), a.readMode()), Replies::value)),
            new Word(
                    "fetch",
                    List.of("FETCH"),
                    "Shows a line with all about an entry, then its value.",
                    List.of(KEY),
                    List.of(STALE),
                    new Request(a -> new Command.Fetch(a.key(0), a.has("--stale"), a.readMode()), Replies::fetched)),
            new Word(
                    "stat",
                    List.of("STAT"),
                    "Shows all about an entry, without its value.",
                    List.of(KEY),
                    List.of(STALE),
                    new Request(a -> new Command.Stat(a.key(0), a.has("--stale"), a.readMode()), Replies::details)),
            new Word(
                    "ttl",
                    List.of("STAT"),
                    "Shows how many seconds a key has left, or never.",
                    List.of(KEY),
                    List.of(),
                    new Request(a -> new Command.Stat(a.key(0), false, a.readMode()), Replies::ttl)),
            new Word(
                    "keys",
                    List.of("KEYS"),
                    "Lists the keys of a region, the least recently written first.",
                    List.of(REGION),
                    List.of(
                            new Option("--max", "N", "At most so many; without it, all."),
                            new Option("--after", "VERSION", "Only keys that were written after that version.")),
                    new Tool(KeyList::run)),
            new Word(
                    "usage",
                    List.of("REGION"),
                    "Shows how much is in a region.",
                    List.of(REGION),
                    List.of(),
                    new Request(a -> new Command.RegionInfo(a.region(0), a.readMode()), Replies::details)));

    private ReadWords() {}
}
