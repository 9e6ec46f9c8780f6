package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.dshm.server.frontend.LoopWatch;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NodeStatusTest {

    private final ClusterClock clock = new ClusterClock(System::nanoTime);
    private final StateMachine stateMachine = new StateMachine(clock);
    private final LocalReads reads = new LocalReads(stateMachine, clock, System::nanoTime, 0);
    private long nanos = 1;

    @Test
    @SuppressWarnings("NullAway") // of a node whose event loop hangs, nothing else is asked
    void a_node_whose_event_loop_stands_still_says_so() {
        MemoryBudget budget = new MemoryBudget(1);
        NodeStatus status = new NodeStatus(null, stateMachine, reads, clock, budget, budget);
        assertNull(status.hang(), "while it starts");
        assertEquals("starting", status.problem());
        LoopWatch watch = new LoopWatch(List.of(new EmbeddedChannel().eventLoop()), () -> nanos);
        status.setRunning(new NodeStatus.Parts(null, null, null, null, null, null, null, null, null, watch));
        nanos += TimeUnit.SECONDS.toNanos(5);
        assertEquals("event loop 0 of 1 has stood still for 5 s", status.hang());
    }
}
