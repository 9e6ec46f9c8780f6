package io.dshm.server.security;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class HandshakeStepsTest {

    private final Queue<Runnable> queue = new ArrayDeque<>();
    private final List<String> computed = new ArrayList<>();
    private final HandshakeSteps steps = new HandshakeSteps(queue::add);

    private void computeNext() {
        queue.remove().run();
    }

    @Test
    void each_step_is_computed_once_by_the_threads() {
        steps.execute(() -> computed.add("first"));
        assertEquals(List.of(), computed);
        computeNext();
        steps.execute(() -> computed.add("second"));
        computeNext();
        assertEquals(List.of("first", "second"), computed);
    }

    @Test
    void what_waits_when_the_connection_ends_is_not_computed() {
        HandshakeSteps other = new HandshakeSteps(queue::add);
        steps.execute(() -> computed.add("of one that has ended"));
        other.execute(() -> computed.add("of one that has not"));
        steps.drop();
        computeNext();
        computeNext();
        assertEquals(List.of("of one that has not"), computed);
    }
}
