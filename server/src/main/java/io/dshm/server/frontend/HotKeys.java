package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which keys the clients of one event loop name most. Written by the loop, without locks, and without allocation but
 * once in {@link Limits#HOT_KEYS_SECONDS}; read by any thread.
 *
 * <p>One command of {@link Limits#HOT_KEY_SAMPLE} is looked at, on average: the gaps vary, so that no habit of a client
 * hides a key. The keys of these are counted in a table of bounded size, by the algorithm Space-Saving (Metwally,
 * Agrawal, El Abbadi, 2005): a key that is not in the full table takes the place of the one that was seen least, and
 * its count, which it may be too high by. What is shown is what a key was certainly seen. When the time is over, the
 * counts are published and all begin anew.
 */
public final class HotKeys {

    private static final Key NONE = Key.of("-");

    /**
     * A key of which much is asked.
     *
     * @param perSecond how many commands name it, estimated; not more than there are, but for chance
     * @param share of all that is asked of keys, from 0 to 1
     */
    public record HotKey(Key key, double perSecond, double share) {}

    /** What was certainly seen of a key. */
    private record Seen(Key key, int times) {}

    /**
     * What was seen until then.
     *
     * @param seconds for how long was counted
     * @param times how often any key was seen
     */
    private record Window(long endNanos, double seconds, int times, List<Seen> keys) {}

    private final LongSupplier nanoTime;

    // --- confined to the loop ---

    private final int[] hashes = new int[Limits.HOT_KEYS_COUNTED_MAX];
    private final Key[] keys = new Key[Limits.HOT_KEYS_COUNTED_MAX];
    private final int[] counts = new int[Limits.HOT_KEYS_COUNTED_MAX];

    /** By how much a count may be too high: what was counted for the key that had the place before. */
    private final int[] inherited = new int[Limits.HOT_KEYS_COUNTED_MAX];

    private int size;
    private int total;
    private long beganNanos;
    private int gap = 1;
    private int random = 1;

    private volatile @Nullable Window last;

    /**
     * Nothing was asked yet.
     *
     * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
     */
    HotKeys(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.beganNanos = nanoTime.getAsLong();
        Arrays.fill(keys, NONE);
    }

    /** A client asks that. Loop only. */
    public void asked(Request request) {
        if (--gap == 0) {
            gap = nextGap();
            if (request instanceof Command command) {
                look(CommandKind.without(command));
            }
        }
    }

    /** From 1 to twice the mean less one, by Marsaglia's xorshift. */
    private int nextGap() {
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        return 1 + Integer.remainderUnsigned(random, 2 * Limits.HOT_KEY_SAMPLE - 1);
    }

    private void look(Command command) {
        long now = nanoTime.getAsLong();
        if (now - beganNanos >= TimeUnit.SECONDS.toNanos(Limits.HOT_KEYS_SECONDS)) {
            publish(now);
        }
        if (command instanceof Command.KeyRead read) {
            count(read.key());
        } else if (command instanceof Command.KeyWrite write) {
            count(write.key());
        } else if (command instanceof Command.MultiRead reads) {
            reads.reads().forEach(read -> count(read.key()));
        } else if (command instanceof Command.Multi writes) {
            writes.writes().forEach(write -> count(write.key()));
        } else if (command instanceof Command.TakeAll takes) {
            takes.takes().forEach(take -> count(take.key()));
        }
    }

    private void count(Key key) {
        if (key.bytes().length > Limits.REFUSED_KEY_BYTES_MAX) {
            return;
        }
        total++;
        int hash = key.hash();
        int least = 0;
        for (int place = 0; place < size; place++) {
            if (hashes[place] == hash && keys[place].equals(key)) {
                counts[place]++;
                return;
            }
            least = counts[place] < counts[least] ? place : least;
        }
        int place = size < keys.length ? size++ : least;
        inherited[place] = counts[place];
        counts[place]++;
        hashes[place] = hash;
        keys[place] = key;
    }

    private void publish(long now) {
        List<Seen> seen = new ArrayList<>();
        for (int place = 0; place < size; place++) {
            int times = counts[place] - inherited[place];
            if (times >= Limits.HOT_KEY_SEEN_MIN) {
                seen.add(new Seen(keys[place], times));
            }
            counts[place] = 0;
            keys[place] = NONE;
        }
        last = new Window(now, (now - beganNanos) / 1e9, total, List.copyOf(seen));
        size = 0;
        total = 0;
        beganNanos = now;
    }

    // --- read by any thread ---

    /**
     * The keys that the clients of these loops named most a moment ago, the first first. A loop that has had nothing to
     * do for longer has none.
     *
     * @param nowNanos by the loops' clock
     */
    public static List<HotKey> most(List<HotKeys> loops, long nowNanos) {
        Map<Key, Double> rates = new HashMap<>();
        double all = 0;
        for (HotKeys loop : loops) {
            Window window = loop.last;
            if (window != null && nowNanos - window.endNanos < TimeUnit.SECONDS.toNanos(2L * Limits.HOT_KEYS_SECONDS)) {
                double perSeen = Limits.HOT_KEY_SAMPLE / window.seconds;
                all += window.times * perSeen;
                window.keys.forEach(seen -> rates.merge(seen.key, seen.times * perSeen, Double::sum));
            }
        }
        double total = all;
        return rates.entrySet().stream()
                .map(rate -> new HotKey(rate.getKey(), rate.getValue(), rate.getValue() / total))
                .sorted(Comparator.comparingDouble(HotKey::perSecond).reversed())
                .limit(Limits.HOT_KEYS_SHOWN_MAX)
                .toList();
    }
}
