package io.dshm.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Limiter;
import io.dshm.server.store.Store;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LocalReadsTest {

    private long monotonicMillis = 1_000;
    private final ClusterClock clock = new ClusterClock(() -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis));
    private final Store store = new Store();
    private final LocalReads reads = new LocalReads(() -> store, clock);
    private final Key key = Key.of("k");

    private Reply read() {
        return reads.read(new Command.Get(key));
    }

    private void put(Entry entry) {
        store.put(key.bytes(), key.hash(), entry);
    }

    @Test
    void before_a_node_has_caught_up_it_shows_nothing() {
        assertFalse(reads.isCurrent(key));
        reads.onCaughtUp();
        assertTrue(reads.isCurrent(key));
    }

    @Test
    void a_read_waits_for_an_acknowledged_write_of_its_key_only() {
        reads.onCaughtUp();
        reads.onApplied(5);
        reads.acknowledged().record(key.hash(), 7);
        assertFalse(reads.isCurrent(key));
        assertTrue(reads.isCurrent(Key.of("another")));
        reads.onApplied(7);
        assertTrue(reads.isCurrent(key));
        reads.acknowledged().recordAll(8);
        assertFalse(reads.isCurrent(Key.of("another")));
    }

    @Test
    void an_entry_is_hidden_from_its_deadline_on() {
        clock.observe(10_000);
        put(Entry.of(new byte[] {1}, 10_050, 1));
        assertTrue(read() instanceof Reply.Value);
        monotonicMillis += 50;
        assertEquals(Reply.Failure.NOT_FOUND, read());
    }

    @Test
    void a_limiter_shows_the_tokens_left() {
        clock.observe(10_000);
        Limiter granted = Limiter.of(3, 100).grant(10_000, 3, 100);
        put(Entry.of(java.util.Objects.requireNonNull(granted), 10_100, 1));
        assertEquals(new Reply.IntegerValue(2), read());
    }
}
