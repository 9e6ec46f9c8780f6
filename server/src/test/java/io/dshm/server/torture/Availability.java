package io.dshm.server.torture;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Whether the cluster could be expected to take writes, as far as the harness's own doing goes, and for how long it took
 * none all the same.
 *
 * <p>It could as long as some majority of nodes is whole and connected, each of them with each other. A gap counts
 * against a majority only from the moment when that very majority was whole: what another one had begun, with a node that
 * fell meanwhile, is not held against it. Thread-safe.
 */
final class Availability {

    /** Two and a half election timeouts, and a second for a machine that is busy with all of them at once. */
    static final Duration GAP_MAX = Duration.ofSeconds(3);

    private static final long NOT_WHOLE = -1;

    private final List<Set<String>> majorities;
    private final BiPredicate<String, String> connected;
    private final LongSupplier nanoTime;
    private final Map<String, Integer> impairments = new HashMap<>();

    /** For each majority, since when it has been whole, by the clock that it was given. */
    private final long[] wholeSince;

    private final Consumer<Gap> onGap;
    private long lastAcknowledged;
    private long longestRecovery;
    private Gap longest = new Gap(0, Set.of());

    /**
     * No write was acknowledged.
     *
     * @param nanos how long
     * @param majority which nodes could have taken one
     */
    record Gap(long nanos, Set<String> majority) {

        @Override
        public String toString() {
            return "no write was acknowledged for " + nanos / 1_000_000 + " ms, while " + majority + " were whole";
        }
    }

    /**
     * All nodes are impaired so far.
     *
     * @param connected whether these two reach each other; whoever changes that calls {@link #onChange}
     * @param nanoTime such as {@link System#nanoTime}
     * @param onGap told of gaps that are longer than they should be, whenever the longest of all has become longer
     */
    Availability(
            List<String> nodes, BiPredicate<String, String> connected, LongSupplier nanoTime, Consumer<Gap> onGap) {
        this.connected = connected;
        this.nanoTime = nanoTime;
        this.onGap = onGap;
        this.majorities = subsets(nodes, nodes.size() / 2 + 1);
        this.wholeSince = new long[majorities.size()];
        Arrays.fill(wholeSince, NOT_WHOLE);
        nodes.forEach(node -> impairments.put(node, 1));
    }

    private static List<Set<String>> subsets(List<String> nodes, int size) {
        List<Set<String>> subsets = new ArrayList<>();
        for (int bits = 0; bits < 1 << nodes.size(); bits++) {
            if (Integer.bitCount(bits) == size) {
                Set<String> subset = new TreeSet<>();
                for (int i = 0; i < nodes.size(); i++) {
                    if ((bits & 1 << i) != 0) {
                        subset.add(nodes.get(i));
                    }
                }
                subsets.add(subset);
            }
        }
        return subsets;
    }

    /** What was before does not count: the nodes had only just started. */
    synchronized void begin() {
        lastAcknowledged = nanoTime.getAsLong();
        longest = new Gap(0, Set.of());
    }

    /** Something was done to this node; as often as it is said, it has to be taken back. */
    synchronized void impair(String node) {
        impairments.merge(node, 1, Integer::sum);
        onChange();
    }

    /** And is over. */
    synchronized void repair(String node) {
        impairments.merge(node, -1, Integer::sum);
        onChange();
    }

    /** To be called when something in the network was cut or healed. */
    synchronized void onChange() {
        long now = nanoTime.getAsLong();
        for (int i = 0; i < wholeSince.length; i++) {
            boolean whole = isWhole(majorities.get(i));
            if (!whole && wholeSince[i] != NOT_WHOLE) {
                measure(i, now);
                wholeSince[i] = NOT_WHOLE;
            } else if (whole && wholeSince[i] == NOT_WHOLE) {
                wholeSince[i] = now;
            }
        }
    }

    private boolean isWhole(Set<String> majority) {
        for (String one : majority) {
            if (impairments.getOrDefault(one, 0) > 0) {
                return false;
            }
            for (String other : majority) {
                if (one.compareTo(other) < 0 && !connected.test(one, other)) {
                    return false;
                }
            }
        }
        return true;
    }

    private void measure(int majority, long now) {
        long gap = now - Math.max(lastAcknowledged, wholeSince[majority]);
        if (gap > longest.nanos()) {
            longest = new Gap(gap, majorities.get(majority));
            if (gap > GAP_MAX.toNanos()) {
                onGap.accept(longest);
            }
        }
    }

    /** A client has just heard that its write took effect. */
    synchronized void onAcknowledged() {
        long now = nanoTime.getAsLong();
        for (int i = 0; i < wholeSince.length; i++) {
            if (wholeSince[i] != NOT_WHOLE) {
                measure(i, now);
            }
        }
        lastAcknowledged = now;
    }

    /** A node has taken so long from its start until it took part. */
    synchronized void onRecovered(long nanos) {
        longestRecovery = Math.max(longestRecovery, nanos);
    }

    /** The longest time, in nanoseconds, from a node's start until it took part. */
    synchronized long longestRecovery() {
        return longestRecovery;
    }

    /** Whether some majority is whole and connected now. */
    synchronized boolean hasMajority() {
        for (long since : wholeSince) {
            if (since != NOT_WHOLE) {
                return true;
            }
        }
        return false;
    }

    /** The longest time without an acknowledged write, up to now. */
    synchronized Gap longestGap() {
        return longest;
    }
}
