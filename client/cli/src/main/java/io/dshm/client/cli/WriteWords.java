package io.dshm.client.cli;

import static io.dshm.client.cli.ReadWords.KEY;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Request;
import io.dshm.client.cli.Word.Tool;
import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ValueType;
import io.dshm.proto.text.Policies;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Words that change something. */
final class WriteWords {

    private static final Parameter VALUE =
            new Parameter("VALUE", "1", "The value; - is what stdin has, @FILE what a file has, @@x is @x.");
    private static final Parameter TIME =
            new Parameter("TIME", "1", "From now on: seconds, or a number with ms, s, m, h or d; 0 is never.");
    private static final Parameter BY = new Parameter("BY", "0..1", "What to add; 1 if it is left out.");
    private static final Option TTL = new Option("--ttl", "TIME", "How long it lives: seconds, or 30m, 2h, 7d.");
    private static final Option INIT_TTL = new Option("--ttl", "TIME", "How long a key lives that was absent.");
    private static final Option FULL =
            new Option("--full", "evict|refuse", "Where there is no room; if left out, as the region's limit says.");
    private static final long FLUSH_MAX = 999_999_999_999_999_999L;
    private static final long FLAGS_MAX = 0xFFFF_FFFFL;

    static final List<Parameter> LIMIT = List.of(
            KEY,
            new Parameter("ALGORITHM", "0..1", "fixed, log, counter, gcra or leaky; or --policy."),
            new Parameter("LIMIT", "0..1", "How many tokens there are in a period."),
            new Parameter("PERIOD", "0..1", "Seconds, or a number with ms, s, m, h or d."));
    static final Option POLICY = new Option("--policy", "NAME", "The limit is what the entry policies::NAME says.");
    static final Option BURST =
            new Option("--burst", "N", "For gcra and leaky: how many beyond the first come at once.");

    static final List<Word> ALL = List.of(
            new Word(
                    "set",
                    List.of("SET"),
                    "Stores a value, whatever was there.",
                    List.of(KEY, VALUE),
                    List.of(TTL),
                    new Request(a -> new Command.Set(a.key(0), a.millis("--ttl", 0), a.value(1)), Replies::done)),
            new Word(
                    "add",
                    List.of("PUT"),
                    "Stores a value if the key is absent.",
                    List.of(KEY, VALUE),
                    List.of(TTL),
                    new Request(a -> put(a, ValueType.RAW, Condition.ABSENT, a.value(1)), Replies::details)),
            new Word(
                    "cas",
                    List.of("PUT"),
                    "Stores a value if the key is there in that version (see stat).",
                    List.of(KEY, new Parameter("VERSION", "1", "The version that it must have."), VALUE),
                    List.of(TTL),
                    new Request(
                            a -> put(a, ValueType.RAW, condition(a.required(1), "VERSION"), a.value(2)),
                            Replies::details)),
            new Word(
                    "put",
                    List.of("PUT"),
                    "Stores a typed value, with a condition.",
                    List.of(KEY, VALUE),
                    List.of(
                            TTL,
                            new Option("--type", "TYPE", "string (if left out), number, boolean or raw."),
                            new Option("--flags", "N", "32 bits beside the value; 0 if left out."),
                            new Option("--if", "CONDITION", "absent, present, or the version that it must have."),
                            FULL),
                    new Request(
                            a -> put(a, type(a.option("--type")), condition(a.option("--if"), "--if"), a.value(1)),
                            Replies::details)),
            new Word(
                    "incr",
                    List.of("INCR"),
                    "Adds to an integer, and shows the new one.",
                    List.of(KEY, BY),
                    List.of(
                            new Option("--init", "N", "What an absent key counts from; 0 if it is left out."),
                            INIT_TTL),
                    new Request(
                            a -> new Command.Incr(
                                    a.key(0), a.integer(1, "BY", 1), a.integer("--init", 0), a.millis("--ttl", 0)),
                            Replies::integer)),
            new Word(
                    "incr-number",
                    List.of("INCR_NUMBER"),
                    "Adds to a number with fractions, and shows the new one.",
                    List.of(KEY, BY),
                    List.of(
                            new Option("--init", "N", "What an absent key counts from; without it: not_found."),
                            INIT_TTL,
                            FULL),
                    new Request(WriteWords::incrNumber, Replies::number)),
            new Word(
                    "limiter",
                    List.of("RATE_LIMITER"),
                    "Takes a token, if one is left, and shows how many are left; else -1.",
                    List.of(
                            KEY,
                            new Parameter("CAPACITY", "1", "How many are granted in any such time."),
                            new Parameter("TIME", "1", "Seconds, or a number with ms, s, m, h or d.")),
                    List.of(),
                    new Request(
                            a -> new Command.RateLimiter(
                                    a.key(0),
                                    (int) a.count(1, "CAPACITY", Limits.LIMITER_CAPACITY_MAX),
                                    Arguments.millis(a.required(2), "TIME")),
                            Replies::tokens)),
            new Word(
                    "take",
                    List.of("TAKE"),
                    "Takes tokens of a limit, and shows what was decided; exit status 1 if it has too few.",
                    LIMIT,
                    List.of(
                            POLICY,
                            BURST,
                            new Option("--cost", "N", "1 if left out; 0 only looks, less gives back."),
                            new Option("--shadow", "", "Let pass, and tell whether it would have been."),
                            new Option(
                                    "--share", "", "The node may decide from its share of the limit, if it has one.")),
                    new Request(WriteWords::take, Replies::decision)),
            new Word(
                    "touch",
                    List.of("TOUCH"),
                    "Sets when a key expires, if it is there.",
                    List.of(KEY, TIME),
                    List.of(),
                    new Request(
                            a -> new Command.Touch(a.key(0), Arguments.millis(a.required(1), "TIME")), Replies::done)),
            new Word(
                    "expire",
                    List.of("EXPIRE"),
                    "Sets when a key expires; it must be there, or be stale.",
                    List.of(KEY, TIME),
                    List.of(),
                    new Request(
                            a -> new Command.Expire(a.key(0), Arguments.millis(a.required(1), "TIME")),
                            Replies::details)),
            new Word(
                    "del",
                    List.of("DELETE"),
                    "Removes a key, if it is there.",
                    List.of(KEY),
                    List.of(),
                    new Request(a -> new Command.Delete(a.key(0)), Replies::done)),
            new Word(
                    "remove",
                    List.of("REMOVE"),
                    "Removes a key, with a condition.",
                    List.of(KEY),
                    List.of(new Option("--if", "CONDITION", "present, or the version that it must have.")),
                    new Request(WriteWords::remove, Replies::done)),
            new Word(
                    "push",
                    List.of("LPUSH", "RPUSH"),
                    "Adds an element at the right end of a list, and shows its length.",
                    List.of(KEY, VALUE),
                    List.of(
                            new Option("--left", "", "At the left end."),
                            new Option("--type", "TYPE", "string (if left out) or number."),
                            FULL),
                    new Request(
                            a -> new Command.Push(
                                    a.key(0),
                                    a.has("--left") ? Command.End.LEFT : Command.End.RIGHT,
                                    elementType(a.option("--type")),
                                    full(a),
                                    a.value(1)),
                            Replies::number)),
            new Word(
                    "pop",
                    List.of("LPOP", "RPOP"),
                    "Takes the element at the left end of a list, and shows it.",
                    List.of(KEY),
                    List.of(new Option("--right", "", "At the right end."), ReadWords.RAW),
                    new Request(
                            a -> new Command.Pop(a.key(0), a.has("--right") ? Command.End.RIGHT : Command.End.LEFT),
                            Replies::value)),
            new Word(
                    "flush",
                    List.of("FLUSHALL"),
                    "Empties a region.",
                    List.of(ReadWords.REGION),
                    List.of(),
                    new Request(a -> new Command.FlushAll(a.region(0)), Replies::done)),
            new Word(
                    "flush-expired",
                    List.of("FLUSH_EXPIRED"),
                    "Frees the stale entries of a region, and shows how many.",
                    List.of(ReadWords.REGION),
                    List.of(new Option("--max", "N", "At most so many; without it, all.")),
                    new Request(
                            a -> new Command.FlushExpired(a.region(0), a.count("--max", 0, FLUSH_MAX)),
                            Replies::number)),
            new Word(
                    "multi",
                    List.of("MULTI"),
                    "Runs several words at once: reads, or writes that are all done or none.",
                    List.of(new Parameter("WORDS", "0..1", "- is stdin (if left out), @FILE a file: one word a line.")),
                    List.of(),
                    new Tool(Several::run)),
            new Word(
                    "take-all",
                    List.of("TAKE_ALL"),
                    "Takes tokens of several limits of one region, of all or of none; exit status 1 if one has too few.",
                    List.of(new Parameter("WORDS", "0..1", "- is stdin (if left out), @FILE a file: one take a line.")),
                    List.of(),
                    new Tool(Several::takeAll)));

    private WriteWords() {}

    private static Command put(Arguments arguments, ValueType type, Condition condition, byte[] value)
            throws CliException {
        int flags = (int) arguments.count("--flags", 0, FLAGS_MAX);
        return new Command.Put(
                arguments.key(0), arguments.millis("--ttl", 0), type, flags, condition, full(arguments), value);
    }

    private static Command.Full full(Arguments arguments) throws CliException {
        String word = arguments.option("--full");
        if (word == null) {
            return Command.Full.AS_REGION;
        }
        return switch (word) {
            case "evict" -> Command.Full.EVICT;
            case "refuse" -> Command.Full.REFUSE;
            default -> throw CliException.usage("--full is evict or refuse, not '" + word + "'");
        };
    }

    private static Command take(Arguments a) throws CliException {
        long cost = a.integer("--cost", 1);
        if (Math.abs(cost) > Limits.TOKENS_MAX) {
            throw CliException.usage("--cost is at most " + Limits.TOKENS_MAX);
        }
        return take(a, cost);
    }

    static Command.Take take(Arguments a, long cost) throws CliException {
        String name = a.option("--policy");
        if (name != null) {
            if (a.at(1) != null || a.has("--burst")) {
                throw CliException.usage("with --policy, the entry says the algorithm and all numbers");
            }
            Key policyKey = Key.of((Limits.POLICY_REGION + "::" + name).getBytes(StandardCharsets.UTF_8));
            if (!Policies.isKey(policyKey)) {
                throw CliException.usage("the name of a policy has 1 to " + Limits.POLICY_NAME_BYTES_MAX + " bytes");
            }
            return new Command.Take(a.key(0), null, policyKey, cost, a.has("--shadow"), a.has("--share"));
        }
        return new Command.Take(a.key(0), policy(a), null, cost, a.has("--shadow"), a.has("--share"));
    }

    private static Policy policy(Arguments a) throws CliException {
        String word = a.at(1);
        String period = a.at(3);
        if (word == null || period == null) {
            throw CliException.usage("a limit is ALGORITHM LIMIT PERIOD, or --policy NAME");
        }
        Algorithm algorithm = Arrays.stream(Algorithm.values())
                .filter(one -> one.wireName().equals(word))
                .findFirst()
                .orElseThrow(() -> CliException.usage("ALGORITHM is fixed, log, counter, gcra or leaky"));
        long limit = a.count(2, "LIMIT", Limits.TOKENS_MAX);
        long millis = Arguments.millis(period, "PERIOD");
        long burst = a.integer("--burst", algorithm.hasBurst() ? Math.max(0, limit - 1) : 0);
        if (!Policy.areValid(limit, millis, burst) || (a.has("--burst") && !algorithm.hasBurst())) {
            throw CliException.usage("PERIOD is 1 ms to " + Limits.PERIOD_MILLIS_MAX / 1000 + " s, --burst 0 to "
                    + Limits.TOKENS_MAX + " and for gcra and leaky");
        }
        return new Policy(algorithm, limit, millis, burst);
    }

    private static Command incrNumber(Arguments arguments) throws CliException {
        String by = arguments.at(1);
        String init = arguments.option("--init");
        return new Command.IncrNumber(
                arguments.key(0),
                by == null ? 1 : Arguments.number(by, "BY"),
                init == null ? null : (Double) Arguments.number(init, "--init"),
                arguments.millis("--ttl", 0),
                full(arguments));
    }

    private static Command remove(Arguments arguments) throws CliException {
        Condition condition = condition(arguments.option("--if"), "--if");
        if (condition.kind() == Condition.Kind.ABSENT) {
            throw CliException.usage("--if is present or a version here, not absent");
        }
        return new Command.Remove(arguments.key(0), condition);
    }

    private static ValueType type(@Nullable String name) throws CliException {
        return type(name, ValueType.STRING, ValueType.NUMBER, ValueType.BOOLEAN, ValueType.RAW);
    }

    private static ValueType elementType(@Nullable String name) throws CliException {
        return type(name, ValueType.STRING, ValueType.NUMBER);
    }

    private static ValueType type(@Nullable String name, ValueType... allowed) throws CliException {
        for (ValueType type : allowed) {
            if (name == null || type.wireName().equals(name)) {
                return type;
            }
        }
        throw CliException.usage("--type is one of "
                + Arrays.stream(allowed).map(ValueType::wireName).collect(Collectors.joining(", ")) + ", not '" + name
                + "'");
    }

    private static Condition condition(@Nullable String text, String label) throws CliException {
        if (text == null) {
            return Condition.ANY;
        }
        if (text.equals("absent")) {
            return Condition.ABSENT;
        }
        if (text.equals("present")) {
            return Condition.PRESENT;
        }
        if (!text.matches("[0-9]{1,18}") || Long.parseLong(text) == 0) {
            throw CliException.usage(label + " is absent, present or a version above 0, not '" + text + "'");
        }
        return Condition.version(Long.parseLong(text));
    }
}
