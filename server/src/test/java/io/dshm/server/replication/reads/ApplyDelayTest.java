package io.dshm.server.replication.reads;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ApplyDelayTest {

    private long nanos;
    private long applied;

    private final ApplyDelay delay = new ApplyDelay(() -> nanos, () -> applied);

    private void apply(long index) {
        applied = index;
        delay.onApplied(index);
    }

    @Test
    void it_is_the_time_from_a_writes_reply_until_it_is_applied() {
        assertEquals(-1, delay.averageMicros());
        delay.onAcknowledged(5);
        nanos += 700_000;
        apply(4);
        assertEquals(-1, delay.averageMicros());
        nanos += 100_000;
        apply(5);
        assertEquals(800, delay.averageMicros());
    }

    @Test
    void one_write_at_a_time_is_measured_and_the_last_ones_count_most() {
        delay.onAcknowledged(1);
        nanos += 1_000_000;
        delay.onAcknowledged(2);
        apply(2);
        assertEquals(1_000, delay.averageMicros());
        for (int index = 3; index < 50; index++) {
            delay.onAcknowledged(index);
            nanos += 200_000;
            apply(index);
        }
        assertEquals(200.0, (double) delay.averageMicros(), 5.0);
    }

    @Test
    void a_write_that_is_applied_meanwhile_is_no_sample() {
        applied = 9;
        delay.onAcknowledged(9);
        nanos += 5_000_000;
        apply(10);
        assertEquals(-1, delay.averageMicros());
    }
}
