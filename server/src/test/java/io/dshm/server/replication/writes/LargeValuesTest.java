package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Values in a queue that does not move, since nobody leads. */
class LargeValuesTest {

    private final List<Pending> submitted = new ArrayList<>();
    private final List<Long> deadlines = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final LargeValues values = new LargeValues((record, pending, deadlineNanos) -> {
        submitted.add(pending);
        deadlines.add(deadlineNanos);
        return true;
    });

    private void submit(String name, long deadlineNanos, boolean throwing) {
        values.submit(
                new byte[2 * Limits.CHUNK_BYTES],
                upload -> CommandRecord.newBuilder(),
                deadlineNanos,
                new LargeValues.Listener() {
                    @Override
                    public void onOutcome(Outcome outcome, long index) {
                        if (throwing) {
                            throw new IllegalStateException("planted");
                        }
                        told.add(name + " " + outcome);
                    }

                    @Override
                    public void onFailure(ErrorCode code, @Nullable String text) {
                        told.add(name + " " + code.wireName());
                    }

                    @Override
                    public void onBroken(RuntimeException thrown) {
                        told.add(name + " broken");
                    }
                });
    }

    private void applyAll() {
        while (!submitted.isEmpty()) {
            submitted.remove(0).tellOutcome(Outcome.APPLIED, 1);
        }
    }

    @Test
    void the_time_in_the_queue_counts_for_every_value() {
        submit("a", 10, false);
        submit("b", 20, false);
        submit("c", 30, false);
        assertEquals(List.of(10L), deadlines, "one is on its way");
        values.expire(20);
        assertEquals(List.of("b busy"), told, "the one on its way ends by its pieces' deadlines");
        submitted.remove(0).tellFailure(ErrorCode.TIMEOUT);
        assertEquals(List.of("b busy", "a busy"), told);
        assertEquals(List.of(10L, 30L), deadlines, "all pieces have the deadline of their request");
        assertFalse(values.isEmpty());
        applyAll();
        assertEquals("c APPLIED", told.get(told.size() - 1));
        assertTrue(values.isEmpty());
    }

    @Test
    void when_a_listener_throws_then_the_next_value_begins_all_the_same() {
        submit("a", 10, true);
        submit("b", 20, false);
        applyAll();
        assertEquals(List.of("a broken", "b APPLIED"), told);
        assertTrue(values.isEmpty());
    }
}
