package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.server.frontend.HotKeys.HotKey;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Which keys are found hot: in virtual time, with many more keys than are counted. */
class HotKeysTest {

    private static final int PER_SECOND = 20_000;
    private static final int COMMANDS = Limits.HOT_KEYS_SECONDS * PER_SECOND;

    private long nanos;
    private final HotKeys hotKeys = new HotKeys(() -> nanos);
    private final Random random = new Random(1);

    private static Command get(String key) {
        return new Command.Get(Key.of(key), null);
    }

    private void ask(Command command) {
        nanos += TimeUnit.SECONDS.toNanos(1) / PER_SECOND;
        hotKeys.asked(command);
    }

    /** Lets the time for counting end. */
    private List<HotKey> most() {
        nanos += TimeUnit.SECONDS.toNanos(1);
        for (int i = 0; i < 2 * Limits.HOT_KEY_SAMPLE; i++) {
            hotKeys.asked(get("last"));
        }
        return HotKeys.most(List.of(hotKeys), nanos);
    }

    private static void assertNear(double expected, double is, String what) {
        assertTrue(Math.abs(is - expected) < 0.25 * expected, () -> what + " is " + is + " and not about " + expected);
    }

    @Test
    void keys_that_are_named_most_are_found_among_many_others() {
        for (int i = 0; i < COMMANDS; i++) {
            int kind = random.nextInt(10);
            ask(get(kind < 2 ? "hot" : kind < 3 ? "warm" : "cold:" + random.nextInt(1_000_000)));
        }
        List<HotKey> most = most();
        assertEquals(
                List.of("hot", "warm"),
                most.stream().map(hot -> hot.key().toString()).limit(2).toList());
        assertNear(0.2, most.get(0).share(), "the share of the first");
        assertNear(0.2 * COMMANDS / (Limits.HOT_KEYS_SECONDS + 1), most.get(0).perSecond(), "its rate");
        assertNear(0.1, most.get(1).share(), "the share of the second");
        assertTrue(most.size() <= Limits.HOT_KEYS_SHOWN_MAX);
    }

    @Test
    void a_key_that_comes_in_every_sixteenth_command_is_neither_overlooked_nor_all_there_is() {
        for (int i = 0; i < COMMANDS; i++) {
            ask(get(i % Limits.HOT_KEY_SAMPLE == 0 ? "beat" : "others:" + i % 7));
        }
        HotKey beat = most().stream()
                .filter(hot -> hot.key().equals(Key.of("beat")))
                .findAny()
                .orElseThrow();
        assertNear(1.0 / Limits.HOT_KEY_SAMPLE, beat.share(), "its share");
    }

    @Test
    void where_all_keys_are_named_alike_none_is_hot() {
        for (int i = 0; i < COMMANDS; i++) {
            ask(get("cold:" + random.nextInt(1_000_000)));
        }
        most().forEach(hot -> assertTrue(hot.share() < 0.01, hot::toString));
    }

    @Test
    void all_keys_of_a_command_count_and_so_does_what_has_an_identity() {
        Command.Incr incr = new Command.Incr(Key.of("a"), 1, 0, 0);
        Command both = new Command.Identified(
                1, 1, 0, false, false, new Command.Multi(List.of(incr, new Command.Delete(Key.of("b"))), 0));
        for (int i = 0; i < COMMANDS; i++) {
            ask(both);
        }
        List<HotKey> most = most();
        assertEquals(2, most.size(), most::toString);
        most.forEach(hot -> assertNear(0.5, hot.share(), hot.key().toString()));
    }

    @Test
    void commands_without_keys_and_too_long_keys_are_not_counted() {
        Command tooLong = get("x".repeat(Limits.REFUSED_KEY_BYTES_MAX + 1));
        for (int i = 0; i < COMMANDS; i++) {
            ask(i % 2 == 0 ? tooLong : Command.Ping.PING);
        }
        assertEquals(List.of(), most());
    }

    @Test
    void loops_are_added_up_and_what_is_old_is_not_shown() {
        HotKeys other = new HotKeys(() -> nanos);
        for (int i = 0; i < COMMANDS; i++) {
            ask(get("a"));
            other.asked(get(i % 2 == 0 ? "a" : "b"));
        }
        most();
        for (int i = 0; i < 2 * Limits.HOT_KEY_SAMPLE; i++) {
            other.asked(get("b"));
        }
        List<HotKey> most = HotKeys.most(List.of(hotKeys, other), nanos);
        assertEquals(
                List.of("a", "b"),
                most.stream().map(hot -> hot.key().toString()).toList());
        assertNear(0.75, most.get(0).share(), "a's share");
        nanos += TimeUnit.SECONDS.toNanos(2L * Limits.HOT_KEYS_SECONDS);
        assertEquals(List.of(), HotKeys.most(List.of(hotKeys, other), nanos));
    }
}
