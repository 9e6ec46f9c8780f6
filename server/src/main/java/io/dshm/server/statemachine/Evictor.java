package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.Eviction;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.Store;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Predicate;

/**
 * Finds the entries of a region that were not written for longest, for a leader.
 *
 * <p><b>How it works.</b> Nothing is kept for each entry, and nothing is done with each write. When entries are to be
 * evicted, a search looks at all of them once for the oldest of the region, an eighth of its entries or
 * {@value #ALL_MAX}, by their versions. From then on these are handed out in their order. One that was written
 * meanwhile has a newer version, and is passed over; what is written has a newer version than all of them. So the order
 * is exact. When a quarter of them is left, the next search begins. A search takes the time of a look at every entry of
 * the node, twice, on a thread of its own.
 *
 * <p>Between the choice and the log entry that removes what was chosen, a search may find the same entries again. Those
 * are passed over, until {@link #landed}.
 *
 * <p>What it finds differs between nodes no more than the order in which they apply the log, and does not matter to
 * them: the leader's choice is in the log, with the version of each entry.
 *
 * <p>Thread-safe.
 */
final class Evictor {

    /** Of a region with fewer entries than this, all are found by one search. */
    private static final int ALL_MAX = 8192;

    /** Of a larger one, this part. */
    private static final int FOUND_PART = 8;

    /** And no more than so many: 12 bytes are kept for each. */
    private static final int FOUND_MAX = 1 << 16;

    /** Regions for which the last search is kept. */
    private static final int REGIONS_MAX = 16;

    /** After a search without a result, no other one begins for so long, in milliseconds of the cluster clock. */
    private static final long NOTHING_MILLIS = 1_000;

    private static final int SAMPLES = 4096;

    private final StateMachine stateMachine;
    private final Executor searches;

    /** By the names of regions; the one that was needed least recently goes. Guarded by this object. */
    private final Map<ByteString, Oldest> regions = new LinkedHashMap<>(REGIONS_MAX, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteString, Oldest> eldest) {
            return size() > REGIONS_MAX;
        }
    };

    Evictor(StateMachine stateMachine, Executor searches) {
        this.stateMachine = stateMachine;
        this.searches = searches;
    }

    /**
     * The versions of what is chosen, and neither removed nor given up on: no two entries have the same. Guarded by
     * this object.
     */
    private final Set<Long> chosenVersions = new HashSet<>();

    @SuppressWarnings("ArrayRecordComponent") // read only
    private record Found(byte[] key, long version) {}

    /** What the last search in a region has found. */
    private static final class Oldest {
        List<Found> found = List.of();
        int next;
        boolean searching;

        /** When so few are left the next search begins. */
        int leftMin;

        /** The cluster clock at the end of the last search. */
        long searchedMillis = Long.MIN_VALUE / 2;

        int left() {
            return found.size() - next;
        }
    }

    /** The region is soon to be full: sees to it that something is found by then. Returns whether a search began. */
    boolean prepare(byte[] region) {
        synchronized (this) {
            if (!isSearchDue(of(region))) {
                return false;
            }
        }
        search(region);
        return true;
    }

    /**
     * Chooses entries to be evicted.
     *
     * @param least bytes that are to become free; if that many cannot, nothing is chosen
     * @param wanted bytes, at least as many, that become free where there is enough
     * @param spared keys that are not chosen
     * @param into takes them; with what is in there already, no more than one log entry may evict. To be told to
     *     {@link #landed}
     * @return bytes that become free; 0 if nothing is chosen
     */
    long choose(byte[] region, long least, long wanted, Predicate<byte[]> spared, List<Eviction> into) {
        prepare(region);
        long freed = chooseOfFound(region, least, wanted, spared, into);
        if (freed == 0 && prepare(region)) {
            // What was found had been written since; perhaps the next search is through already.
            freed = chooseOfFound(region, least, wanted, spared, into);
        }
        return freed;
    }

    private long chooseOfFound(byte[] region, long least, long wanted, Predicate<byte[]> spared, List<Eviction> into) {
        synchronized (this) {
            Oldest oldest = of(region);
            Store store = stateMachine.store();
            int keyBytes =
                    into.stream().mapToInt(eviction -> eviction.getKey().size()).sum();
            List<Found> chosen = new ArrayList<>();
            List<Found> valid = new ArrayList<>();
            long freed = 0;
            int at = oldest.next;
            for (; at < oldest.found.size() && freed < wanted; at++) {
                Found found = oldest.found.get(at);
                Entry entry = store.get(found.key, Key.of(found.key).hash());
                if (entry == null || entry.version() != found.version || !entry.isEvictable()) {
                    continue;
                }
                if (!chosenVersions.contains(found.version) && !spared.test(found.key)) {
                    int before = into.size() + chosen.size();
                    keyBytes += found.key.length;
                    if (before == Limits.EVICTIONS_MAX || (before > 0 && keyBytes > Limits.EVICTIONS_BYTES_MAX)) {
                        break;
                    }
                    chosen.add(found);
                    freed += EntryBytes.of(found.key, entry);
                }
                valid.add(found);
            }
            if (freed < least) {
                passOver(oldest, at, valid);
                return 0;
            }
            oldest.next = at;
            for (Found found : chosen) {
                chosenVersions.add(found.version);
                into.add(Eviction.newBuilder()
                        .setKey(UnsafeByteOperations.unsafeWrap(found.key))
                        .setVersion(found.version)
                        .build());
            }
            return freed;
        }
    }

    /** Forgets those before {@code at} that are not valid, so that the next call that fails does not look at them. */
    private static void passOver(Oldest oldest, int at, List<Found> valid) {
        if (at == oldest.found.size()) {
            // At the end of what was found the next search is due.
            oldest.next = at;
        } else if (valid.size() < at - oldest.next) {
            valid.addAll(oldest.found.subList(at, oldest.found.size()));
            oldest.found = valid;
            oldest.next = 0;
        }
    }

    /** These are removed by now, or the log has not taken the entry that was to remove them. */
    synchronized void landed(List<Eviction> evictions) {
        evictions.forEach(eviction -> chosenVersions.remove(eviction.getVersion()));
    }

    private Oldest of(byte[] region) {
        return regions.computeIfAbsent(ByteString.copyFrom(region), any -> new Oldest());
    }

    private boolean isSearchDue(Oldest oldest) {
        boolean soon = oldest.left() <= oldest.leftMin;
        boolean may = !oldest.found.isEmpty() || stateMachine.clockMillis() - oldest.searchedMillis >= NOTHING_MILLIS;
        if (oldest.searching || !soon || !may) {
            return false;
        }
        oldest.searching = true;
        return true;
    }

    private void search(byte[] region) {
        searches.execute(() -> {
            List<Found> found = oldestOf(region, stateMachine.store());
            synchronized (this) {
                Oldest oldest = of(region);
                oldest.found = found;
                oldest.next = 0;
                oldest.leftMin = found.size() / 4;
                oldest.searching = false;
                oldest.searchedMillis = stateMachine.clockMillis();
            }
        });
    }

    private static List<Found> oldestOf(byte[] region, Store store) {
        long versionMax = versionOfOldest(region, store);
        List<Found> found = new ArrayList<>();
        store.forEachOf(region, there -> {
            if (there.isEvictable() && there.version() <= versionMax && found.size() < 2 * FOUND_MAX) {
                found.add(new Found(there.key(), there.version()));
            }
        });
        found.sort(Comparator.comparingLong(Found::version));
        return found;
    }

    /** The version up to which there are about as many entries as are wanted: by those of some thousand of them. */
    private static long versionOfOldest(byte[] region, Store store) {
        long[] samples = new long[SAMPLES];
        long[] seen = {0, 0x9E3779B97F4A7C15L};
        store.forEachOf(region, there -> {
            if (!there.isEvictable()) {
                return;
            }
            long number = seen[0]++;
            if (number < SAMPLES) {
                samples[(int) number] = there.version();
                return;
            }
            // Each one has the same chance to be among the samples (Vitter's algorithm R, with xorshift).
            seen[1] ^= seen[1] << 13;
            seen[1] ^= seen[1] >>> 7;
            seen[1] ^= seen[1] << 17;
            long slot = Long.remainderUnsigned(seen[1], number + 1);
            if (slot < SAMPLES) {
                samples[(int) slot] = there.version();
            }
        });
        if (seen[0] <= ALL_MAX) {
            return Long.MAX_VALUE;
        }
        Arrays.sort(samples);
        long wanted = Math.min(Math.max(ALL_MAX, seen[0] / FOUND_PART), FOUND_MAX);
        return samples[(int) Math.min(SAMPLES - 1, SAMPLES * wanted / seen[0])];
    }
}
