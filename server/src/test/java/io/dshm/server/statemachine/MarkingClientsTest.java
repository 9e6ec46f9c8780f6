package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that say which outcomes they know, and which copies are repeats; of the others tells {@link ClientsTest}. */
class MarkingClientsTest {

    private static final long CLIENT = 77;
    private static final double SILENCE = Limits.CLIENT_IDLE_MILLIS / 1000.0 + 0.001;

    /** More than fit: each takes some hundred bytes. */
    private static final int MANY = (int) (Limits.CLIENTS_BYTES_MAX / 256);

    @TempDir
    Path folder;

    private final Log log = new Log();
    private final StateMachine stateMachine = StateMachineTest.newStateMachine();

    @BeforeEach
    void switchFormat() {
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
    }

    private static CommandRecord.Builder incr(long client, long sequence, long done) {
        return Log.incr("k", 1, 0).setClient(client).setClientSequence(sequence).setClientDone(done);
    }

    private long first(long client, long sequence, long done) {
        return log.run(stateMachine, incr(client, sequence, done)).number();
    }

    private Outcome repeat(long client, long sequence, long done) {
        return log.run(stateMachine, incr(client, sequence, done).setClientRetry(true));
    }

    /** More newcomers than there is room for; each counts. */
    private void bringMany() {
        for (int client = 1000; client < 1000 + MANY; client++) {
            CommandRecord.Builder record = log.next(incr(client, 1, 1));
            if (client % 1000 == 0) {
                log.settle(record.getSequence());
            }
            log.append(record);
            assertEquals(Outcome.Kind.APPLIED, log.applyTo(stateMachine)[0].kind());
        }
    }

    private void assertUnknown(Outcome outcome) {
        assertEquals(Outcome.Kind.ALREADY_SETTLED, outcome.kind());
    }

    @Test
    void a_repeat_has_the_outcome_of_the_first_copy_until_the_client_knows_it() {
        assertEquals(1, first(CLIENT, 1, 1));
        assertEquals(2, first(CLIENT, 2, 1));
        assertEquals(1, repeat(CLIENT, 1, 1).number());
        assertEquals(2, repeat(CLIENT, 2, 2).number());
        assertUnknown(repeat(CLIENT, 1, 1));
        assertEquals(3, first(CLIENT, 3, 2));
    }

    @Test
    void a_repeat_of_a_known_client_counts_if_its_first_copy_was_lost_and_then_that_one_does_not() {
        first(CLIENT, 1, 1);
        assertEquals(2, repeat(CLIENT, 2, 2).number());
        assertEquals(2, first(CLIENT, 2, 2));
        assertEquals(3, first(CLIENT, 3, 3));
    }

    @Test
    void a_repeat_of_an_unknown_client_never_counts_and_its_first_copy_does_once() {
        assertUnknown(repeat(CLIENT, 1, 1));
        assertEquals(1, first(CLIENT, 1, 1));
        assertEquals(1, repeat(CLIENT, 1, 1).number());
    }

    @Test
    void a_client_that_was_forgotten_is_a_newcomer_of_whose_earlier_commands_no_repeat_counts() {
        first(CLIENT, 5, 5);
        log.passSeconds(SILENCE);
        assertEquals(2, first(CLIENT, 7, 5));
        assertUnknown(repeat(CLIENT, 5, 5));
        assertUnknown(repeat(CLIENT, 6, 5));
        assertEquals(3, first(CLIENT, 6, 5), "a first copy has never been applied before");
        assertEquals(3, repeat(CLIENT, 6, 5).number());
        assertEquals(4, repeat(CLIENT, 8, 5).number());
    }

    @Test
    void a_client_that_was_known_before_the_format_changed_is_known_since() {
        assertEquals(
                1,
                log.run(stateMachine, Log.incr("k", 1, 0).setClient(CLIENT).setClientSequence(1))
                        .number());
        assertEquals(1, repeat(CLIENT, 1, 1).number());
        assertEquals(2, repeat(CLIENT, 2, 1).number());
    }

    @Test
    void a_client_that_its_node_does_not_list_is_served_and_not_remembered() {
        assertEquals(
                1,
                log.run(stateMachine, incr(CLIENT, 1, 1).setClientUnlisted(true))
                        .number());
        assertUnknown(repeat(CLIENT, 1, 1));
        assertEquals(2, first(78, 1, 1));
        assertEquals(
                2,
                log.run(stateMachine, incr(78, 1, 1).setClientRetry(true).setClientUnlisted(true))
                        .number());
    }

    @Test
    void any_number_of_newcomers_disturbs_nobody_and_none_of_them_is_refused() {
        first(CLIENT, 1, 1);
        bringMany();
        assertEquals(1, repeat(CLIENT, 1, 1).number());
        assertEquals(2, repeat(1000, 1, 1).number());
        assertUnknown(repeat(1000 + MANY - 1, 1, 1));
        assertEquals(MANY + 2, first(1000 + MANY - 1, 2, 2));
        log.passSeconds(SILENCE);
        assertEquals(MANY + 3, first(5, 1, 1));
        assertEquals(MANY + 3, repeat(5, 1, 1).number(), "those that were silent for long have made room");
    }

    @Test
    void when_there_is_no_room_then_a_clients_own_oldest_outcomes_give_way() {
        first(CLIENT, 1, 1);
        first(CLIENT, 2, 1);
        bringMany();
        first(CLIENT, 3, 1);
        first(CLIENT, 60, 1);
        assertUnknown(repeat(CLIENT, 1, 1));
        assertEquals(MANY + 4, repeat(CLIENT, 60, 1).number());
    }

    /** Many clients, known and new, with gaps, repeats and silences. */
    private CommandRecord.Builder random(Random random, int step) {
        long client = random.nextInt(40);
        long sequence = 1L + step / 10 + random.nextInt(20);
        CommandRecord.Builder record = random.nextInt(4) == 0
                ? Log.push("l", true, "x".repeat(random.nextInt(100)))
                : random.nextInt(3) == 0 ? Log.pop("l", true) : Log.incr("k" + random.nextInt(3), 1, 0);
        record.setClient(client).setClientSequence(sequence);
        if (client % 5 > 0) {
            record.setClientDone(Math.max(1, sequence - random.nextInt(30))).setClientRetry(random.nextBoolean());
        }
        return record;
    }

    @Test
    void a_view_shows_what_was_when_it_was_opened_and_a_copy_goes_on_like_the_original() throws IOException {
        long seed = Long.getLong("dshm.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            StateMachine other = StateMachineTest.newStateMachine();
            log.applyTo(other);
            String story = "seed " + seed + ", round " + round;
            for (int step = 0; step < 500; step++) {
                log.append(log.next(random(random, step)));
                log.passSeconds(random.nextInt(50) == 0 ? 300 : 0.1);
            }
            log.applyTo(stateMachine);
            log.applyTo(other);
            StateView view = stateMachine.view();
            log.append(Log.switchFormat(Formats.BOUNDS));
            for (int step = 0; step < 300; step++) {
                log.append(log.next(random(random, step)));
                log.passSeconds(random.nextInt(50) == 0 ? 300 : 0.1);
            }
            log.applyTo(stateMachine);
            Path saved = java.nio.file.Files.createDirectory(folder.resolve("round" + round));
            try (view) {
                new SnapshotWriter(saved, view).write();
            }
            StateMachine copy = StateMachineTest.newStateMachine();
            copy.load(new SnapshotReader(saved));
            try (StateView ofCopy = copy.view();
                    StateView ofOther = other.view()) {
                assertEquals(ofOther.digest(), ofCopy.digest(), story);
            }
            log.applyTo(copy);
            try (StateView ofCopy = copy.view();
                    StateView ofOriginal = stateMachine.view()) {
                assertEquals(ofOriginal.digest(), ofCopy.digest(), story);
            }
        }
    }
}
