package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.MemoryLimit;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateRoom;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A state that is filled by nothing but one kind of write is full at some time, and then takes no more of it. */
class FullByEveryWriteTest {

    private static final long ORIGIN = 9;
    private static final long ROOM = 1 << 18;
    private static final int WRITES_MAX = 20_000;
    private static final int WRITES_AN_ENTRY = 50;

    private final StateMachine stateMachine =
            new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(ROOM, 10 * ROOM, 0));
    private long index;
    private long sequence;

    FullByEveryWriteTest() {
        apply(LogEntry.newBuilder()
                .addRecords(CommandRecord.newBuilder()
                        .setRegisterNode(RegisterNode.newBuilder().setNode("n1").addOrigins(ORIGIN)))
                .addRecords(CommandRecord.newBuilder()
                        .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS))));
    }

    private Outcome[] apply(LogEntry.Builder entry) {
        return stateMachine.apply(
                ++index, ByteBuffer.wrap(entry.setStampMillis(1_000_000).build().toByteArray()));
    }

    private CommandRecord numbered(Command.Write write) {
        return Records.of(write).setOrigin(ORIGIN).setSequence(++sequence).build();
    }

    /** Runs some writes of a series as a leader does, from that number on; whether one was refused. */
    private boolean runSome(LongFunction<Command.Write> series, long from) {
        MemoryLimit.Reservation room = stateMachine.memory().reservation();
        LogEntry.Builder entry = LogEntry.newBuilder()
                .addSettled(Settled.newBuilder().setOrigin(ORIGIN).setBelow(sequence));
        boolean refused = false;
        for (long i = from; i < from + WRITES_AN_ENTRY; i++) {
            CommandRecord admitted = Objects.requireNonNull(room.admit(numbered(series.apply(i))));
            refused |= admitted.hasRefused();
            entry.addRecords(admitted);
        }
        room.proposed();
        apply(entry);
        room.landed();
        return refused;
    }

    private Outcome run(Command.Write write) {
        return apply(LogEntry.newBuilder()
                .addRecords(Objects.requireNonNull(
                        stateMachine.memory().reservation().admit(numbered(write)))))[0];
    }

    private static Set<String> everySeries() {
        return GrowingWrites.in("r::").keySet();
    }

    @ParameterizedTest
    @MethodSource("everySeries")
    void it_is_refused_in_the_end_and_all_else_goes_on(String name) {
        LongFunction<Command.Write> series =
                Objects.requireNonNull(GrowingWrites.in("r::").get(name));
        run(new Command.Set(Key.of("there"), 0, new byte[10]));
        run(new Command.Incr(Key.of("count"), 1, 0, 0));
        long writes = 0;
        while (!runSome(series, writes)) {
            writes += WRITES_AN_ENTRY;
            assertTrue(writes < WRITES_MAX, () -> "only " + stateMachine.bytes() + " bytes");
        }
        assertTrue(stateMachine.bytes() <= ROOM * 9 / 8, () -> stateMachine.bytes() + " bytes");
        assertEquals(
                Outcome.Kind.APPLIED,
                run(new Command.Incr(Key.of("count"), 1, 0, 0)).kind(),
                "an existing key counts on");
        assertEquals(
                Outcome.Kind.APPLIED, run(new Command.Delete(Key.of("there"))).kind());
    }

    @Test
    void no_kind_of_write_is_missing() {
        Set<Class<?>> kinds = new HashSet<>(GrowingWrites.kinds());
        kinds.addAll(GrowingWrites.ADD_NOTHING);
        assertEquals(kindsOf(Command.Write.class), kinds);
    }

    private static Set<Class<?>> kindsOf(Class<?> sealed) {
        Set<Class<?>> kinds = new HashSet<>();
        for (Class<?> kind : sealed.getPermittedSubclasses()) {
            if (kind.isSealed()) {
                kinds.addAll(kindsOf(kind));
            } else {
                kinds.add(kind);
            }
        }
        return kinds;
    }
}
