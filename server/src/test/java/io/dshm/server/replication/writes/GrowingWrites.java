package io.dshm.server.replication.writes;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;

/**
 * Everything that makes the state larger: for each kind of write a series of commands of which each one adds something.
 * {@link FullByEveryWriteTest} sees to it that none is missing.
 */
public final class GrowingWrites {

    private static final long HOUR = 3_600_000;
    private static final long MANY = 1_000_000_000_000L;

    /** Holders of one key, and elements of one list. */
    private static final long IN_ONE_KEY = 1000;

    /** Writes that add nothing. */
    static final Set<Class<? extends Command.Write>> ADD_NOTHING = Set.of(
            Command.Touch.class,
            Command.Delete.class,
            Command.Remove.class,
            Command.Expire.class,
            Command.Pop.class,
            Command.Release.class,
            Command.Return.class);

    private GrowingWrites() {}

    /**
     * The series by their names; each takes the number of a command, from 0 on.
     *
     * @param region of all keys; empty for the default one, else with its separator
     */
    public static Map<String, LongFunction<Command.Write>> in(String region) {
        Map<String, LongFunction<Command.Write>> series = new LinkedHashMap<>();
        series.put("set", i -> new Command.Set(key(region, "s", i), 0, new byte[1]));
        series.put("incr", i -> new Command.Incr(key(region, "i", i), 1, 0, 0));
        series.put("put string", i -> put(region, "p", i, ValueType.STRING, "v"));
        series.put("put number", i -> put(region, "n", i, ValueType.NUMBER, "1.5"));
        series.put("put raw", i -> put(region, "w", i, ValueType.RAW, "v"));
        series.put("incr_number", i -> new Command.IncrNumber(key(region, "m", i), 1, 0.5, 0));
        series.put("push", i -> push(key(region, "q", i), ValueType.STRING));
        series.put("push to a list", i -> push(key(region, "list", i / IN_ONE_KEY), ValueType.NUMBER));
        series.put("rate_limiter", i -> new Command.RateLimiter(key(region, "l", i), 5, HOUR));
        series.put("rate_limiter of many", i -> new Command.RateLimiter(key(region, "L", i / MANY), 1_000_000, HOUR));
        for (Algorithm algorithm : Algorithm.values()) {
            String name = algorithm.wireName();
            series.put("take " + name, i -> takeOne(key(region, name, i), algorithm));
        }
        series.put("take log of many", i -> take(key(region, "t", i / MANY), Algorithm.LOG, 2));
        series.put(
                "take_all",
                i -> new Command.TakeAll(
                        List.of(
                                takeOne(key(region, "a", i), Algorithm.FIXED),
                                takeOne(key(region, "b", i), Algorithm.GCRA)),
                        0));
        series.put(
                "acquire",
                i -> new Command.Acquire(key(region, "c", i / IN_ONE_KEY), IN_ONE_KEY, key("", "holder", i), HOUR));
        series.put("reserve", i -> reserve(key(region, "r", i / IN_ONE_KEY), i));
        series.put(
                "settle",
                i -> i % 2 == 0
                        ? reserve(key(region, "e", i / IN_ONE_KEY), i)
                        : new Command.Settle(key(region, "e", i / IN_ONE_KEY), key("", "hold", i - 1), 1));
        series.put(
                "grant",
                i -> new Command.Grant(
                        take(key(region, "g", i / IN_ONE_KEY), Algorithm.FIXED, 1), key("", "holder", i), 1));
        series.put(
                "flushall",
                i -> new Command.FlushAll(
                        key("", region.replace(":", "") + "f", i).bytes()));
        series.put(
                "multi",
                i -> new Command.Multi(
                        List.of(
                                put(region, "x", i, ValueType.STRING, "v"),
                                new Command.Incr(key(region, "y", i), 1, 0, 0)),
                        0));
        series.put(
                "identified",
                i -> new Command.Identified(
                        ((i / 10_000) << 20) + (region.hashCode() & 0xFFFFF) + 1,
                        1 + i % 10_000,
                        new Command.Set(key(region, "d", i), 0, new byte[1])));
        return series;
    }

    /** The kinds of all writes of these series. */
    static Set<Class<?>> kinds() {
        Set<Class<?>> kinds = new LinkedHashSet<>();
        for (LongFunction<Command.Write> series : in("").values()) {
            kinds.add(series.apply(0).getClass());
            kinds.add(series.apply(1).getClass());
        }
        return kinds;
    }

    /** One of each series. */
    public static List<Command.Write> ofEach(Map<String, LongFunction<Command.Write>> series, long number) {
        List<Command.Write> writes = new ArrayList<>();
        series.values().forEach(one -> writes.add(one.apply(number)));
        return writes;
    }

    private static Key key(String region, String name, long number) {
        return Key.of(region + name + number);
    }

    private static Command.Put put(String region, String name, long number, ValueType type, String value) {
        return new Command.Put(
                key(region, name, number), 0, type, 0, Condition.ANY, value.getBytes(StandardCharsets.US_ASCII));
    }

    private static Command.Push push(Key key, ValueType type) {
        return new Command.Push(key, Command.End.LEFT, type, new byte[] {'1'});
    }

    private static Command.Take take(Key key, Algorithm algorithm, long cost) {
        return new Command.Take(key, new Policy(algorithm, MANY, HOUR), null, cost, false);
    }

    /** Of a limit that is not as good as new for a year, and whose window does not turn meanwhile: until then it stays. */
    private static Command.Take takeOne(Key key, Algorithm algorithm) {
        return new Command.Take(key, new Policy(algorithm, 10, Limits.PERIOD_MILLIS_MAX), null, 1, false);
    }

    private static Command.Reserve reserve(Key key, long number) {
        return new Command.Reserve(take(key, Algorithm.LOG, 1), key("", "hold", number), HOUR);
    }
}
