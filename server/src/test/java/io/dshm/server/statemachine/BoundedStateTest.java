package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What the format of bounds changed in what commands bring about. */
class BoundedStateTest {

    private static final int LARGEST = Limits.VALUE_BYTES_MAX;

    private final Log log = new Log();
    private final StateMachine stateMachine = StateMachineTest.newStateMachine();

    private void switchFormat() {
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
    }

    private long limit(long capacity, double seconds) {
        return log.run(stateMachine, Log.rateLimiter("x", capacity, seconds)).number();
    }

    private void minuteThenSecond() {
        for (long left = 4; left >= 0; left--) {
            assertEquals(left, limit(5, 60));
        }
        log.passSeconds(1.2);
        assertEquals(4, limit(5, 1));
    }

    @Test
    void a_limit_holds_by_itself_whatever_other_calls_name() {
        switchFormat();
        minuteThenSecond();
        assertEquals(-1, limit(5, 60));
        assertEquals(1, limit(8, 60), "six were granted in this minute");
        assertEquals(-1, limit(7, 60));
        log.passSeconds(58.8);
        assertEquals(2, limit(5, 60), "the five of the beginning have left the window");
        log.passSeconds(59.9);
        assertEquals("no plain value", StateMachineTest.read(stateMachine, log, "x"));
        log.passSeconds(0.2);
        assertNull(StateMachineTest.read(stateMachine, log, "x"));
    }

    @Test
    void a_refused_call_with_a_longer_duration_counts_from_then_on() {
        switchFormat();
        for (int i = 0; i < 5; i++) {
            limit(5, 1);
        }
        assertEquals(-1, limit(5, 60));
        log.passSeconds(1.2);
        assertEquals(4, limit(5, 1));
        assertEquals(-1, limit(5, 60));
        assertEquals(-1, limit(0, 3600), "a capacity of 0 needs no grant");
        log.passSeconds(61);
        assertEquals(4, limit(5, 60));
        assertEquals(11, limit(11, 0), "a window of no length is empty, and what it grants counts");
        assertEquals(2, limit(5, 60));
    }

    @Test
    void before_the_format_of_bounds_a_shorter_duration_drops_what_a_longer_one_needs() {
        minuteThenSecond();
        assertEquals(3, limit(5, 60));
        switchFormat();
        assertEquals(2, limit(5, 60), "what was kept is kept on");
        log.passSeconds(1.2);
        assertEquals(4, limit(5, 1));
        assertEquals(0, limit(5, 60));
    }

    /** A hundred pieces of one byte, each of another value of 32 MiB. */
    private void announce(int first) {
        for (int upload = first; upload < first + 100; upload++) {
            assertEquals(
                    Outcome.Kind.APPLIED,
                    log.run(stateMachine, Log.chunk(upload, LARGEST, 0, "a")).kind());
        }
    }

    @Test
    void values_take_memory_as_they_arrive_not_as_they_announce() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        announce(1);
        long before = threads.getCurrentThreadAllocatedBytes();
        announce(101);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < LARGEST, "all classes are loaded, and it took " + allocated + " bytes");
    }

    @Test
    void when_an_origin_begins_more_values_than_its_due_then_the_oldest_give_way() {
        switchFormat();
        announce(1);
        assertEquals(
                Outcome.Kind.CHUNKS_MISSING,
                log.run(stateMachine, Log.chunk(98, LARGEST, 1, "b")).kind());
        assertEquals(
                Outcome.Kind.APPLIED,
                log.run(stateMachine, Log.chunk(99, LARGEST, 1, "b")).kind());
        assertEquals(
                Outcome.Kind.APPLIED,
                log.run(stateMachine, Log.chunk(100, LARGEST, 1, "b")).kind());
    }

    @Test
    void all_values_on_their_way_have_a_bound_together() {
        switchFormat();
        int origins = (int) (Limits.UPLOADS_BYTES_MAX / LARGEST / Limits.ORIGIN_UPLOADS_MAX) + 1;
        int pieceBytes = Limits.CHUNK_BYTES;
        String piece = "x".repeat(pieceBytes);
        long[] all = new long[origins];
        for (int i = 0; i < origins; i++) {
            all[i] = 100L + i;
        }
        log.append(Log.register("n2", 1, 1, all));
        log.applyTo(stateMachine);
        int taken = 0;
        Outcome.Kind last = Outcome.Kind.APPLIED;
        for (int i = 0; i < origins && last == Outcome.Kind.APPLIED; i++) {
            long sequence = 1;
            for (int upload = 1; upload <= Limits.ORIGIN_UPLOADS_MAX; upload++) {
                for (int at = 0; at < LARGEST && last == Outcome.Kind.APPLIED; at += pieceBytes) {
                    log.append(Log.chunk(upload, LARGEST, at, piece)
                            .setOrigin(all[i])
                            .setSequence(sequence++));
                    last = log.applyTo(stateMachine)[0].kind();
                    taken++;
                }
            }
        }
        assertEquals(Outcome.Kind.CHUNKS_MISSING, last);
        assertEquals(Limits.UPLOADS_BYTES_MAX / pieceBytes + 1, taken);
        assertEquals(0, log.run(stateMachine, Log.incr("k", 0, 0)).number(), "other commands go on");
    }
}
