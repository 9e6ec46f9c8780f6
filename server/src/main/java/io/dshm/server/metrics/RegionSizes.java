package io.dshm.server.metrics;

import io.dshm.proto.Limits;
import io.dshm.server.counters.Printable;
import io.dshm.server.store.Region;
import io.dshm.server.store.Store;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * How large the regions are. A thread of its own looks through the store again and again, a little at a time: counting
 * them with each write would cost every write. So the numbers are a second old in a small store, and some minutes in
 * one of millions of entries.
 */
public final class RegionSizes implements AutoCloseable {

    /** How clients and operators name the default region. */
    private static final String DEFAULT_REGION = ":";

    /** All regions that are not shown by name. */
    private static final String REST = "other";

    private static final int NAME_CHARACTERS_MAX = 64;

    /** A step ends after so many entries: a millisecond or two. */
    private static final int STEP_ENTRIES = 10_000;

    private static final long STEP_MILLIS = 250;

    /**
     * A region.
     *
     * @param name made printable; {@code :} for the default region, {@code other} for all that are not among the
     *     largest
     */
    public record Size(String name, long entries, long bytes) {}

    /** What was found of a region in this round. */
    private static final class Found {
        private long entries;
        private long bytes;

        private void add(Found more) {
            entries += more.entries;
            bytes += more.bytes;
        }
    }

    /** A region's name, equal by its bytes. Reused for looking up. */
    private static final class Name {

        private byte[] key;
        private int length;

        private Name(byte[] key, int length) {
            this.key = key;
            this.length = length;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Name name && Arrays.equals(key, 0, length, name.key, 0, name.length);
        }

        @Override
        public int hashCode() {
            int hash = 1;
            for (int i = 0; i < length; i++) {
                hash = 31 * hash + key[i];
            }
            return hash;
        }
    }

    private final Supplier<Store> stores;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread created = new Thread(task, "region-sizes");
        created.setDaemon(true);
        return created;
    });

    private final Map<Name, Found> found = new HashMap<>();
    private final Found rest = new Found();
    private final Name lookup = new Name(new byte[0], 0);
    private int segment;

    private volatile List<Size> last = List.of();

    /** @param stores the present store; a snapshot that is loaded replaces it */
    public RegionSizes(Supplier<Store> stores) {
        this.stores = stores;
    }

    /** Begins to look. */
    public void start() {
        thread.scheduleWithFixedDelay(this::step, STEP_MILLIS, STEP_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** The largest regions first, by bytes, and then the rest if there is any. Any thread. */
    public List<Size> sizes() {
        return last;
    }

    /** Looks at some segments; at the end of a round, what was found becomes what is shown. */
    void step() {
        Store store = stores.get();
        long[] seen = {0};
        while (segment < Store.segments() && seen[0] < STEP_ENTRIES) {
            store.forEachIn(segment, there -> {
                seen[0]++;
                count(there.key(), there.bytes());
            });
            segment++;
        }
        if (segment == Store.segments()) {
            last = largest();
            found.clear();
            rest.entries = 0;
            rest.bytes = 0;
            segment = 0;
        }
    }

    private void count(byte[] key, long bytes) {
        lookup.key = key;
        lookup.length = Region.lengthIn(key);
        Found region = found.get(lookup);
        if (region == null) {
            if (found.size() >= Limits.REGIONS_COUNTED_MAX) {
                forgetSmallest();
            }
            region = new Found();
            found.put(new Name(Arrays.copyOf(key, lookup.length), lookup.length), region);
        }
        region.entries++;
        region.bytes += bytes;
    }

    /** Whoever names regions at will cannot fill this node's memory with them. A region that is large comes again. */
    private void forgetSmallest() {
        List<Map.Entry<Name, Found>> all = bySize();
        for (Map.Entry<Name, Found> small : all.subList(all.size() / 4, all.size())) {
            rest.add(small.getValue());
            found.remove(small.getKey());
        }
    }

    private List<Map.Entry<Name, Found>> bySize() {
        List<Map.Entry<Name, Found>> all = new ArrayList<>(found.entrySet());
        all.sort(Comparator.comparingLong(region -> -region.getValue().bytes));
        return all;
    }

    private List<Size> largest() {
        List<Map.Entry<Name, Found>> all = bySize();
        List<Size> sizes = new ArrayList<>();
        Found others = new Found();
        others.add(rest);
        for (Map.Entry<Name, Found> region : all) {
            Found size = region.getValue();
            if (sizes.size() < Limits.REGIONS_SHOWN_MAX) {
                sizes.add(new Size(nameOf(region.getKey()), size.entries, size.bytes));
            } else {
                others.add(size);
            }
        }
        if (others.entries > 0) {
            sizes.add(new Size(REST, others.entries, others.bytes));
        }
        return List.copyOf(sizes);
    }

    private static String nameOf(Name region) {
        return nameOf(region.key);
    }

    /** A region as metrics name it; its own name is empty for the default region. */
    static String nameOf(byte[] region) {
        return region.length == 0 ? DEFAULT_REGION : Printable.of(region, NAME_CHARACTERS_MAX);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
