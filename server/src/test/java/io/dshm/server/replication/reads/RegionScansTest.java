package io.dshm.server.replication.reads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.Typed;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RegionScansTest {

    private static final long NOW = 1_000_000;
    private static final byte[] REGION = {'r'};

    private final ClusterClock clock = new ClusterClock(() -> 0);
    private final StateMachine stateMachine = new StateMachine(clock);
    private final RegionScans regions = new RegionScans(new LocalReads(stateMachine, clock, () -> 0, 0));
    private long version;

    @BeforeEach
    void setTime() {
        clock.observe(NOW);
    }

    @AfterEach
    void stop() {
        regions.close();
    }

    private void put(String key, long expiresAtMillis) {
        Key wireKey = Key.of(key);
        stateMachine
                .store()
                .put(wireKey.bytes(), wireKey.hash(), Entry.of(new Typed(1.0, 0), expiresAtMillis, ++version));
    }

    private Reply.Detailed keys(int max, long after) {
        return (Reply.Detailed) regions.reply(new Command.Keys(REGION, max, after, null));
    }

    private static String text(Reply.Detailed reply) {
        byte[] value = reply.value();
        return value == null ? "" : new String(value, StandardCharsets.US_ASCII);
    }

    @Test
    void keys_come_in_the_order_of_their_last_writes_page_by_page() {
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            put("r::" + i, Entry.NEVER);
            put("other::" + i, Entry.NEVER);
            put("r::expired" + i, NOW);
        }
        for (int i = 0; i < 100; i++) {
            // Written again, so that the order is not that of the first time.
            put("r::" + (i * 37 % 100), Entry.NEVER);
            expected.append("r::").append(i * 37 % 100).append('\n');
        }
        assertEquals(expected.toString(), text(keys(100, 0)));
        assertNull(keys(100, 0).detail("next"));
        StringBuilder paged = new StringBuilder();
        String next = "0";
        while (next != null) {
            Reply.Detailed page = keys(7, Long.parseLong(next));
            paged.append(text(page));
            next = page.detail("next");
        }
        assertEquals(expected.toString(), paged.toString());
    }

    @Test
    void a_page_ends_where_its_bytes_are_too_many() {
        String name = "r::" + "k".repeat(100_000);
        for (int i = 0; i < 20; i++) {
            put(name + i, Entry.NEVER);
        }
        Reply.Detailed page = keys(1000, 0);
        assertEquals("11", page.detail("count"));
        assertEquals("11", page.detail("next"));
        assertTrue(text(page).length() < Limits.KEYS_BYTES_MAX + Limits.LONG_KEY_BYTES_MAX);
    }

    @Test
    void a_region_is_told_from_others_and_what_is_stale_from_what_is_gone() {
        put("r::alive", NOW + 1);
        put("r::stale", NOW);
        put("r::gone", NOW - Entry.STALE_MILLIS);
        put("other::alive", Entry.NEVER);
        Reply.Detailed info = (Reply.Detailed) regions.reply(new Command.RegionInfo(REGION, null));
        assertEquals("1", info.detail("entries"));
        assertEquals("1", info.detail("stale"));
        assertEquals(Long.toString(2 * EntryBytes.ofNumber("r::alive".length())), info.detail("bytes"));
        assertNull(info.value());
    }

    @Test
    void expired_entries_come_in_portions_that_fit_into_a_record() {
        for (int i = 0; i < Limits.PURGE_KEYS_MAX + 5; i++) {
            put("r::" + i, NOW);
        }
        put("r::alive", NOW + 1);
        List<List<byte[]>> all = regions.expired(new Command.FlushExpired(REGION, 0));
        assertEquals(
                List.of(Limits.PURGE_KEYS_MAX, 5), all.stream().map(List::size).toList());
        assertEquals(
                List.of(7),
                regions.expired(new Command.FlushExpired(REGION, 7)).stream()
                        .map(List::size)
                        .toList());
        put("r::" + "k".repeat(Limits.PURGE_BYTES_MAX), NOW);
        put("r::last", NOW);
        for (List<byte[]> portion : regions.expired(new Command.FlushExpired(REGION, 0))) {
            int bytes = portion.stream().mapToInt(key -> key.length).sum();
            assertTrue(bytes < Limits.PURGE_BYTES_MAX + Limits.LONG_KEY_BYTES_MAX);
        }
    }

    @Test
    void when_too_many_wait_then_one_more_is_refused() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        assertTrue(regions.execute(() -> {
            begun.countDown();
            await(end);
        }));
        begun.await();
        for (int i = 0; i < Limits.SCANS_WAITING_MAX; i++) {
            assertTrue(regions.execute(() -> {}));
        }
        assertFalse(regions.execute(() -> {}));
        end.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
