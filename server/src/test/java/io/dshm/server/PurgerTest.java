package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SetCommand;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.system.Await;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PurgerTest {

    private static final int SESSIONS = 50_000;

    private final StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
    private long index;

    private void apply(long stampMillis, CommandRecord... records) {
        LogEntry.Builder entry =
                LogEntry.newBuilder().setStampMillis(stampMillis).addAllRecords(List.of(records));
        stateMachine.apply(++index, ByteBuffer.wrap(entry.build().toByteArray()));
    }

    private static CommandRecord set(int number) {
        return CommandRecord.newBuilder()
                .setOrigin(1)
                .setSequence(number + 1)
                .setSet(SetCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8("sessions::" + number))
                        .setTtlMillis(1_000))
                .build();
    }

    private void storeSessions() {
        apply(
                1,
                CommandRecord.newBuilder()
                        .setRegisterNode(RegisterNode.newBuilder().setNode("n").addOrigins(1))
                        .build());
        for (int number = 0; number < SESSIONS; number++) {
            apply(2, set(number));
        }
        assertEquals(SESSIONS, stateMachine.store().entryCount());
    }

    @Test
    void expired_sessions_are_gone_after_a_bounded_number_of_steps_each_of_which_is_small() {
        storeSessions();
        apply(10_000);
        List<Long> purged = new ArrayList<>();
        while (stateMachine.store().entryCount() > 0) {
            long before = stateMachine.store().entryCount();
            stateMachine.purge();
            purged.add(before - stateMachine.store().entryCount());
        }
        // Buckets are at most four times as many as entries; so for five million it is less than 200 s at 100 steps a
        // second.
        int stepsMax = 4 * SESSIONS / StateMachine.PURGE_BUCKETS_A_STEP + 2;
        assertTrue(purged.size() <= stepsMax, purged.size() + " steps");
        assertTrue(purged.stream().allMatch(one -> one <= 4 * StateMachine.PURGE_BUCKETS_A_STEP), purged::toString);
    }

    @Test
    void they_are_purged_while_nothing_is_written() throws InterruptedException {
        storeSessions();
        apply(10_000);
        try (Purger purger = new Purger(stateMachine, why -> {
            throw new AssertionError(why);
        })) {
            purger.start();
            Await.until("nothing is left", () -> stateMachine.store().entryCount() == 0);
        }
    }
}
