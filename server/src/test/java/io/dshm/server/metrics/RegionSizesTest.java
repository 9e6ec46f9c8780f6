package io.dshm.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegionSizesTest {

    private final Store store = new Store();
    private final RegionSizes regions = new RegionSizes(() -> store);
    private int version;

    private void put(String key) {
        byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
        store.put(bytes, key.hashCode() * 0x9E3779B9, Entry.of(new byte[100], Entry.NEVER, ++version));
    }

    private List<RegionSizes.Size> look() {
        // What is shown is of a whole round: of the next one that begins.
        List<RegionSizes.Size> before = regions.sizes();
        while (regions.sizes() == before) {
            regions.step();
        }
        return regions.sizes();
    }

    @Test
    void the_largest_are_shown_by_name_and_the_rest_together() {
        for (int region = 0; region < 2 * Limits.REGIONS_SHOWN_MAX; region++) {
            for (int i = 0; i <= region; i++) {
                put("r" + region + ":" + i);
            }
        }
        put("none");
        List<RegionSizes.Size> sizes = look();
        assertEquals(Limits.REGIONS_SHOWN_MAX + 1, sizes.size());
        assertEquals("r39", sizes.get(0).name());
        assertEquals(40, sizes.get(0).entries());
        assertEquals("other", sizes.get(Limits.REGIONS_SHOWN_MAX).name());
        assertEquals(
                store.entryCount(),
                sizes.stream().mapToLong(RegionSizes.Size::entries).sum());
        assertEquals(
                store.bytes(), sizes.stream().mapToLong(RegionSizes.Size::bytes).sum());
    }

    @Test
    void more_regions_than_can_be_told_apart_do_not_hide_a_large_one() {
        for (int i = 0; i < 3 * Limits.REGIONS_COUNTED_MAX; i++) {
            put("user" + i + ":x");
        }
        for (int i = 0; i < 1_000; i++) {
            put("large:" + i);
        }
        List<RegionSizes.Size> sizes = look();
        assertEquals("large", sizes.get(0).name());
        assertTrue(sizes.get(0).entries() > 500, sizes::toString);
        assertEquals(
                store.entryCount(),
                sizes.stream().mapToLong(RegionSizes.Size::entries).sum());
    }
}
