package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.WriteCondition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MemoryLimitTest {

    private static final long LIMIT = 64_000;
    private static final long HOLD = 20 << 20;

    private final Log log = new Log();
    private final StateMachine stateMachine =
            new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(LIMIT, HOLD, 0));
    private final MemoryLimit memory = stateMachine.memory();

    private void switchFormat() {
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
    }

    /** Runs a command as a leader does. */
    private Outcome run(CommandRecord.Builder record) {
        CommandRecord command = log.next(record).build();
        log.append(admit(memory.reservation(), command).toBuilder());
        Outcome outcome = log.applyTo(stateMachine)[0];
        log.settle(command.getSequence() + 1);
        log.applyTo(stateMachine);
        return outcome;
    }

    private static CommandRecord admit(MemoryLimit.Reservation room, CommandRecord command) {
        return Objects.requireNonNull(room.admit(command));
    }

    /** Fills the state with what is there, and with as many other keys as there is room for. */
    private void fill() {
        switchFormat();
        run(Log.set("plain", "v".repeat(100), 0));
        run(Log.put("typed", "v".repeat(100), 0));
        run(Log.incr("counter", 1, 0));
        run(Log.put("number", 1.5, 0));
        run(Log.rateLimiter("limiter", 1000, 3600));
        run(Log.take("gcra", LimitAlgorithm.GCRA, 1000, 3_600_000, 1));
        run(Log.push("list", true, "a"));
        run(Log.set("r:a", "v", 0));
        int i = 0;
        while (run(Log.set("fill" + i, "", 0)).kind() == Outcome.Kind.APPLIED) {
            i++;
        }
        assertTrue(i > 300, () -> "there was room for more than these");
        assertTrue(
                stateMachine.bytes() <= LIMIT && stateMachine.bytes() > LIMIT - 500, () -> "" + stateMachine.bytes());
    }

    static Stream<Arguments> growing() {
        WriteCondition absent = WriteCondition.newBuilder().setAbsent(true).build();
        return Stream.of(
                arguments("SET", Log.set("new", "v", 0)),
                arguments("SET of a larger value", Log.set("plain", "v".repeat(900), 0)),
                arguments("PUT", Log.put("new", "v", 0)),
                arguments("PUT of a number", Log.put("new", 1.5, 0)),
                arguments("PUT of a larger value", Log.put("typed", "v".repeat(900), 0)),
                arguments("PUT if absent", Log.put("new", Log.string("v"), 0, absent)),
                arguments("INCR", Log.incr("new", 1, 0)),
                arguments("INCR_NUMBER", Log.incrNumber("new", 1, 1, 0)),
                arguments("PUSH", Log.push("new", true, "e".repeat(200))),
                arguments("PUSH to a list", Log.push("list", true, "e".repeat(500))),
                arguments("a piece of a large value", Log.chunk(1, 300_000, 0, "v")),
                arguments("MULTI", Log.multi(Log.delete("no"), Log.set("new", "v", 0))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("growing")
    void when_the_state_is_full_then_what_grows_is_refused(String what, CommandRecord.Builder record) {
        fill();
        long before = stateMachine.store().bytes();
        assertEquals(Outcome.Kind.OUT_OF_MEMORY, run(record).kind(), what);
        assertEquals(before, stateMachine.store().bytes());
    }

    static Stream<Arguments> others() {
        WriteCondition absent = WriteCondition.newBuilder().setAbsent(true).build();
        WriteCondition present = WriteCondition.newBuilder().setPresent(true).build();
        return Stream.of(
                arguments("SET of the same length", Log.set("plain", "w".repeat(100), 60), "APPLIED"),
                arguments("SET of a shorter value", Log.set("plain", "w", 60), "APPLIED"),
                arguments("PUT of the same length", Log.put("typed", "w".repeat(100), 60), "APPLIED(11)"),
                arguments("PUT where something is", Log.put("plain", Log.string("v"), 0, absent), "EXISTS"),
                arguments("PUT where nothing is", Log.put("new", Log.string("v"), 0, present), "NOT_FOUND"),
                arguments("DELETE", Log.delete("plain"), "APPLIED"),
                arguments("REMOVE", Log.remove("plain", present), "APPLIED"),
                arguments("TOUCH", Log.touch("plain", 60), "APPLIED"),
                arguments("INCR", Log.incr("counter", 5, 0), "APPLIED(6)"),
                arguments("INCR_NUMBER", Log.incrNumber("number", 1), "APPLIED(2.5)"),
                arguments("RATE_LIMITER", Log.rateLimiter("limiter", 1000, 3600), "APPLIED(998)"),
                arguments("RATE_LIMITER of a new key", Log.rateLimiter("new", 5, 60), "APPLIED(4)"),
                arguments(
                        "TAKE of a new key",
                        Log.take("new", LimitAlgorithm.GCRA, 1000, 3_600_000, 1),
                        "APPLIED(Decision[allowed=true, limit=1000, remaining=999, resetMillis=3600, "
                                + "retryMillis=0, delayMillis=-1])"),
                arguments(
                        "TAKE of a new log",
                        Log.take("new", LimitAlgorithm.LOG, 1000, 3_600_000, 2),
                        "APPLIED(Decision[allowed=true, limit=1000, remaining=998, resetMillis=3600000, "
                                + "retryMillis=0, delayMillis=-1])"),
                arguments("TAKE by a policy that is not there", Log.take("new", "p", 1), "NOT_FOUND"),
                arguments(
                        "TAKE of a log",
                        Log.take("limiter", LimitAlgorithm.LOG, 1000, 3_600_000, 7),
                        "APPLIED(Decision[allowed=true, limit=1000, remaining=992, resetMillis=3600000, "
                                + "retryMillis=0, delayMillis=-1])"),
                arguments(
                        "TAKE of a bucket",
                        Log.take("gcra", LimitAlgorithm.GCRA, 1000, 3_600_000, 7),
                        "APPLIED(Decision[allowed=true, limit=1000, remaining=992, resetMillis=28800, "
                                + "retryMillis=0, delayMillis=-1])"),
                arguments("POP", Log.pop("list", true), "APPLIED"),
                arguments("PUSH to no list", Log.push("plain", true, "a"), "NOT_A_LIST"),
                arguments("FLUSHALL", Log.flushAll("r"), "APPLIED"),
                arguments(
                        "MULTI",
                        Log.multi(Log.incr("counter", 1, 0), Log.delete("plain")),
                        "APPLIED([APPLIED(2), APPLIED])"),
                arguments("a later piece of a large value", Log.chunk(9, 300_000, 5, "v"), "CHUNKS_MISSING"),
                arguments("a large value's publication", Log.setChunked("plain", 9, 300_000), "CHUNKS_MISSING"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void when_the_state_is_full_then_all_else_goes_on(String what, CommandRecord.Builder record, String outcome) {
        fill();
        String seen = run(record).toString();
        // Versions depend on how many keys there was room for.
        assertEquals(
                outcome.replace("(11)", ""), what.startsWith("PUT of") ? seen.replaceAll("\\(.*", "") : seen, what);
    }

    @Test
    void when_something_was_deleted_then_there_is_room_again() {
        fill();
        assertEquals(
                Outcome.Kind.OUT_OF_MEMORY,
                run(Log.set("new", "v".repeat(150), 0)).kind());
        run(Log.delete("plain"));
        run(Log.delete("typed"));
        assertEquals(
                Outcome.Kind.APPLIED, run(Log.set("new", "v".repeat(150), 0)).kind());
    }

    @Test
    void decisions_go_on_for_a_sixteenth_more_and_counts_for_an_eighth() {
        fill();
        int granted = 0;
        while (run(Log.rateLimiter("limiter", 1_000_000, 3600)).kind() == Outcome.Kind.APPLIED) {
            granted++;
        }
        assertTrue(granted > 80 && granted < 150, "grants: " + granted);
        assertTrue(stateMachine.bytes() <= LIMIT + LIMIT / 16, () -> "" + stateMachine.bytes());
        assertEquals(Outcome.Kind.APPLIED, run(Log.delete("plain")).kind());
    }

    @Test
    void what_is_proposed_takes_room_until_it_is_applied() {
        switchFormat();
        CommandRecord command = log.next(Log.set("k", "v".repeat(1000), 0)).build();
        List<MemoryLimit.Reservation> proposed = new ArrayList<>();
        MemoryLimit.Reservation room = memory.reservation();
        for (; !admit(room, command).hasRefused(); room = memory.reservation()) {
            room.proposed();
            proposed.add(room);
        }
        assertEquals(LIMIT / proposed.get(0).bytes(), proposed.size());
        MemoryLimit.Reservation several = memory.reservation();
        proposed.forEach(MemoryLimit.Reservation::landed);
        for (int i = 0; i < proposed.size(); i++) {
            assertEquals(command, admit(several, command));
        }
        assertTrue(admit(several, command).hasRefused(), "they are to share an entry");
    }

    private void register(String node, long start, long stateBytesMax) {
        CommandRecord.Builder registration = Log.register(node, start, start, 100 * start + node.hashCode());
        registration.getRegisterNodeBuilder().setStateBytesMax(stateBytesMax);
        log.append(registration);
    }

    @Test
    void the_smallest_room_of_all_nodes_counts() {
        StateMachine large =
                new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(64 << 20, 128 << 20, 0));
        switchFormat();
        register("n2", 1, 12 << 20);
        log.append(Log.register("n3", 3, 1, 9));
        log.applyTo(large);
        assertEquals(12 << 20, large.memory().bytesMax());
        assertEquals(64 << 20, large.memory().own());
        register("n2", 2, 65 << 20);
        log.applyTo(large);
        assertEquals(64 << 20, large.memory().bytesMax());
        register("n2", 3, 1);
        log.applyTo(large);
        assertEquals(Limits.STATE_BYTES_MAX_MIN, large.memory().bytesMax(), "no node has less room");
    }

    @Test
    void a_node_without_room_for_what_is_held_already_does_not_stop_the_growth_of_the_others() {
        StateMachine large =
                new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(64 << 20, 128 << 20, 0));
        switchFormat();
        register("n2", 1, 8 << 20);
        for (int i = 0; i < 95; i++) {
            log.append(log.next(Log.set("k" + i, "v".repeat(100_000), 0)));
        }
        log.applyTo(large);
        register("n2", 2, 8 << 20);
        log.applyTo(large);
        assertEquals(8 << 20, large.memory().bytesMax(), "its limit held all the time, but for what is always allowed");
        for (int i = 95; i < 110; i++) {
            log.append(log.next(Log.set("k" + i, "v".repeat(100_000), 0)));
        }
        register("n2", 3, 8 << 20);
        log.applyTo(large);
        assertEquals(64 << 20, large.memory().bytesMax());
    }

    @Test
    void a_state_that_the_heap_cannot_hold_stops_the_node_with_the_heap_that_it_needs(@TempDir Path folder)
            throws IOException {
        StateMachine other = new StateMachine(new ClusterClock(System::nanoTime));
        for (int i = 0; i < 250; i++) {
            log.append(log.next(Log.set("k" + i, "v".repeat(100_000), 0)));
        }
        log.applyTo(other);
        try (StateView view = other.view()) {
            new SnapshotWriter(folder, view).write();
        }
        StateMachine small =
                new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(8 << 20, HOLD, 5 << 20));
        String applying = String.valueOf(assertThrows(StateTooLargeException.class, () -> log.applyTo(small))
                .getMessage());
        assertTrue(applying.contains("the state takes 21 MiB, and this node's heap has room for 20 MiB"), applying);
        StateMachine joining =
                new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(8 << 20, HOLD, 5 << 20));
        String loading = String.valueOf(
                assertThrows(StateTooLargeException.class, () -> joining.load(new SnapshotReader(folder)))
                        .getMessage());
        assertTrue(
                loading.contains("the state takes 24 MiB")
                        && loading.contains("at least 53 MiB (-Xmx in DSHM_JAVA_OPTS)"),
                loading);
    }

    @Test
    void every_heap_holds_more_than_the_cluster_may_grow_to() {
        for (long heap = 32 << 20; heap < 64L << 30; heap += heap / 3) {
            StateRoom room = StateRoom.ofHeap(heap, heap / 4);
            assertTrue(room.holdMax() >= room.growthMax() + room.growthMax() / 4, room::toString);
        }
        assertEquals(
                new StateRoom(360 << 20, 880 << 20, (48 << 20) + (256 << 20)), StateRoom.ofHeap(1 << 30, 256 << 20));
    }

    @Test
    void before_the_format_allows_it_nothing_is_refused() {
        CommandRecord command = log.next(Log.set("k", "v".repeat(100_000), 0)).build();
        assertEquals(command, admit(memory.reservation(), command));
    }

    @Test
    void a_repeat_of_what_was_applied_is_answered_like_the_first_time_though_there_is_no_room_any_more() {
        switchFormat();
        CommandRecord.Builder first = log.next(Log.incr("k", 3, 0)).setClient(5).setClientSequence(1);
        log.append(first);
        assertEquals("APPLIED(3)", log.applyTo(stateMachine)[0].toString());
        CommandRecord refused = MemoryLimit.refused(first.build());
        log.append(refused.toBuilder());
        assertEquals("APPLIED(3)", log.applyTo(stateMachine)[0].toString(), "by the node's identity");
        log.append(log.next(refused.toBuilder()));
        assertEquals("APPLIED(3)", log.applyTo(stateMachine)[0].toString(), "by the client's");
        CommandRecord.Builder other = refused.toBuilder().setClientSequence(2);
        log.append(log.next(other));
        assertEquals("OUT_OF_MEMORY", log.applyTo(stateMachine)[0].toString());
        log.append(log.next(Log.incr("k", 3, 0)).setClient(5).setClientSequence(2));
        assertEquals("APPLIED(6)", log.applyTo(stateMachine)[0].toString(), "sent again when there is room");
    }

    /** The formula of the state's size, and what a command may add to it, agree for every command in every state. */
    @Test
    void no_command_adds_more_than_was_foreseen() throws InvalidProtocolBufferException {
        long seed = Long.getLong("dshm.seed", System.nanoTime());
        Random random = new Random(seed);
        AdmissionTest.Hostile hostile = new AdmissionTest.Hostile(random);
        switchFormat();
        long index = stateMachine.appliedIndex();
        long millis = log.nowMillis();
        long sequence = 1;
        for (int i = 0; i < 30_000; i++) {
            CommandRecord record = hostile.record(sequence);
            if (!Admission.admits(record)) {
                continue;
            }
            millis += random.nextInt(500);
            Settled.Builder settled = Settled.newBuilder().setOrigin(Log.ORIGIN).setBelow(sequence);
            LogEntry.Builder entry = LogEntry.newBuilder().setStampMillis(millis);
            // What has expired by then is purged, and what was settled is forgotten, before the size is taken.
            stateMachine.apply(
                    ++index, ByteBuffer.wrap(entry.addSettled(settled).build().toByteArray()));
            MemoryLimit.Reservation room = memory.reservation();
            long before = stateMachine.bytes();
            CommandRecord proposed = admit(room, record);
            long growth = room.bytes();
            Outcome outcome = stateMachine
                    .apply(
                            ++index,
                            ByteBuffer.wrap(entry.addRecords(proposed).build().toByteArray()))[0];
            // Its outcome is remembered for the node, and perhaps for a client.
            long remembered = 2 * outcome.rememberedBytes() + 512;
            long added = stateMachine.bytes() - before;
            assertTrue(
                    added <= Math.max(0, growth) + remembered,
                    () -> "repeat with -Ddshm.seed=" + seed + ": " + added + " bytes, not " + growth + ": " + record);
            sequence += record.getOrigin() == Log.ORIGIN && record.getSequence() == sequence ? 1 : 0;
        }
    }
}
