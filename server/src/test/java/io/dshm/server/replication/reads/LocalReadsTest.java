package io.dshm.server.replication.reads;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.LogEntry;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.CorruptStateException;
import io.dshm.server.statemachine.SnapshotReader;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Cursor;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Pieces;
import io.dshm.server.store.Typed;
import io.dshm.server.store.limiters.SlidingLog;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalReadsTest {

    private long monotonicMillis = 1_000;
    private final ClusterClock clock = new ClusterClock(() -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis));
    private final StateMachine stateMachine = new StateMachine(clock);
    private final LocalReads reads = newReads(0);
    private final Key key = Key.of("k");
    private final Command.Get get = new Command.Get(key);

    private LocalReads newReads(long maxStalenessMillis) {
        return new LocalReads(
                stateMachine, clock, () -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis), maxStalenessMillis);
    }

    private Reply read() {
        return reads.read(get);
    }

    private void put(Entry entry) {
        stateMachine.store().put(key.bytes(), key.hash(), entry);
    }

    @Test
    void before_a_node_has_caught_up_it_shows_nothing() {
        clock.hear(10_000, 1, true);
        assertFalse(reads.isCurrent(get));
        reads.onCaughtUp();
        assertTrue(reads.isCurrent(get));
    }

    @Test
    void before_a_node_knows_the_time_it_shows_nothing() {
        reads.onCaughtUp();
        clock.observe(10_000);
        assertFalse(reads.isCurrent(get));
        clock.hear(10_500, 1, true);
        assertTrue(reads.isCurrent(get));
    }

    @Test
    void a_read_waits_for_an_acknowledged_write_of_its_key_only() {
        reads.onCaughtUp();
        clock.hear(10_000, 1, true);
        reads.onApplied(5);
        reads.acknowledge(key, 7);
        assertFalse(reads.isCurrent(get));
        assertTrue(reads.isCurrent(new Command.Get(Key.of("another"))));
        reads.onApplied(7);
        assertTrue(reads.isCurrent(get));
        reads.acknowledge(Key.of("another"), 8);
        assertTrue(reads.isCurrent(get));
        assertFalse(reads.isCurrent(new Command.Get(Key.of("another"))));
        reads.onApplied(8);
        reads.acknowledge(new Command.FlushAll(new byte[0]), 9);
        assertFalse(reads.isCurrent(new Command.Get(Key.of("another"))));
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
    void a_small_value_is_shown_where_it_stands_and_nothing_is_allocated_for_it() {
        byte[] value = {1, 2, 3};
        put(Entry.of(value, Entry.NEVER, 1));
        Cursor cursor = new Cursor();
        assertNull(reads.readAt(get, cursor));
        int from = cursor.valueAt();
        assertArrayEquals(value, Arrays.copyOfRange(cursor.array(), from, from + cursor.valueLength()));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10_000; i++) {
            reads.readAt(get, cursor);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        // What the virtual machine itself allocates on this thread meanwhile is less than a byte a read.
        assertTrue(allocated < 10_000, allocated + " bytes");
    }

    @Test
    void only_a_small_plain_value_that_has_not_expired_is_shown_where_it_stands() {
        Cursor cursor = new Cursor();
        assertEquals(Reply.Failure.NOT_FOUND, reads.readAt(get, cursor));
        clock.observe(10_000);
        put(Entry.of(new byte[] {1}, 10_050, 1));
        assertNull(reads.readAt(get, cursor));
        assertTrue(reads.readAt(new Command.Stat(key, false, null), cursor) instanceof Reply.Detailed);
        monotonicMillis += 50;
        assertEquals(Reply.Failure.NOT_FOUND, reads.readAt(get, cursor));
        byte[] large = new byte[100_000];
        put(Entry.of(large, Entry.NEVER, 2));
        assertTrue(reads.readAt(get, cursor) instanceof Reply.Value found && found.bytes() == large);
        put(Entry.of(new Typed(1.5, 0), Entry.NEVER, 3));
        assertTrue(reads.readAt(get, cursor) instanceof Reply.Value);
    }

    @Test
    void a_linearizable_read_goes_by_the_logged_time_and_knows_when_that_is_behind() {
        apply(1, 10_000);
        put(Entry.of(new byte[] {1}, 10_050, 1));
        assertFalse(reads.isDueUnlogged(get));
        monotonicMillis += 50;
        assertEquals(Reply.Failure.NOT_FOUND, read(), "by the estimate");
        assertTrue(reads.readLogged(get) instanceof Reply.Value, "by the log");
        assertTrue(reads.isDueUnlogged(get));
        apply(2, 10_050);
        assertFalse(reads.isDueUnlogged(get));
        assertEquals(Reply.Failure.NOT_FOUND, reads.readLogged(get));
    }

    private void apply(long index, long stampMillis) {
        byte[] entry = LogEntry.newBuilder().setStampMillis(stampMillis).build().toByteArray();
        stateMachine.apply(index, ByteBuffer.wrap(entry));
    }

    @Test
    void the_length_of_a_large_value_is_told_without_putting_its_pieces_together() {
        int length = 5_000_000;
        Pieces pieces = new Pieces(List.of(new byte[4 << 20], new byte[4 << 20]), length);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (Entry entry : List.of(
                Entry.ofPlain(pieces, Entry.NEVER, 1), Entry.of(new Typed(pieces, /* flags= */ 0), Entry.NEVER, 1))) {
            put(entry);
            long before = threads.getCurrentThreadAllocatedBytes();
            Reply.Detailed reply = (Reply.Detailed) reads.read(new Command.Stat(get.key(), false, null));
            assertTrue(threads.getCurrentThreadAllocatedBytes() - before < length);
            assertTrue(reply.details().contains("type=" + (entry.isPlain() ? "raw" : "string")), reply.details());
            assertTrue(reply.details().contains("length=" + length), reply.details());
        }
    }

    @Test
    void with_a_bound_on_staleness_a_read_waits_until_the_state_is_confirmed_again() {
        clock.hear(10_000, 1, true);
        LocalReads bounded = newReads(200);
        bounded.onCaughtUp();
        assertEquals(-1, bounded.lagMillis());
        assertFalse(bounded.isCurrent(get), "nothing has been confirmed yet");
        bounded.onConfirmed(TimeUnit.MILLISECONDS.toNanos(monotonicMillis - 50));
        assertEquals(50, bounded.lagMillis());
        assertTrue(bounded.isCurrent(get));
        monotonicMillis += 151;
        assertFalse(bounded.isCurrent(get));
        bounded.onConfirmed(TimeUnit.MILLISECONDS.toNanos(monotonicMillis - 300));
        assertFalse(bounded.isCurrent(get), "what was asked long ago says nothing of now, and takes nothing back");
        assertEquals(201, bounded.lagMillis());
        assertEquals(50, bounded.confirmIntervalMillis());
        reads.onCaughtUp();
        assertTrue(reads.isCurrent(get), "without a bound");
    }

    @Test
    void while_a_snapshot_is_loaded_reads_wait_and_nothing_is_said_to_be_absent(@TempDir Path folder) {
        clock.hear(10_000, 1, true);
        reads.onCaughtUp();
        put(Entry.of(new byte[] {1}, Entry.NEVER, 1));
        assertTrue(reads.isCurrent(get));
        // A snapshot that is not whole: the old state is gone, and no new one is there.
        assertThrows(CorruptStateException.class, () -> stateMachine.load(new SnapshotReader(folder)));
        assertFalse(reads.isCurrent(get));
        assertTrue(reads.isLoading());
        assertEquals(LocalReads.LOADING, read(), "of a read that came a moment too early to wait");
        assertEquals(LocalReads.LOADING, reads.readLogged(get));
        assertEquals(LocalReads.LOADING, reads.read(new Command.MultiRead(List.of(get, get), null)));
    }

    @Test
    void a_limiter_shows_the_tokens_left() {
        clock.observe(10_000);
        SlidingLog granted = SlidingLog.of(3, 100).grant(10_000, 3, 100, 100);
        put(Entry.of(java.util.Objects.requireNonNull(granted), 10_100, 1));
        assertEquals(new Reply.IntegerValue(2), read());
    }
}
