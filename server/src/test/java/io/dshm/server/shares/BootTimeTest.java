package io.dshm.server.shares;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BootTimeTest {

    private static final long MILLI = 1_000_000;

    private long nanos = -5_000 * MILLI;
    private long wall = 1_700_000_000_000L;
    private long boot = 77_770;
    private boolean saysBoot = true;
    private int looks;
    private Runnable whileReading = () -> {};

    private final BootTime time = newTime();

    private BootTime newTime() {
        return new BootTime(() -> nanos, () -> wall, this::boot);
    }

    private OptionalLong boot() {
        looks++;
        whileReading.run();
        return saysBoot ? OptionalLong.of(boot / 10 * 10) : OptionalLong.empty();
    }

    private void pass(long millis) {
        nanos += millis * MILLI;
        sleep(millis);
    }

    private void sleep(long millis) {
        wall += millis;
        boot += millis;
    }

    private long passed(Runnable what) {
        long before = time.getAsLong();
        what.run();
        return (time.getAsLong() - before) / MILLI;
    }

    private static void assertNear(long expected, long found) {
        assertTrue(found <= expected && found >= expected - 20, found + " instead of " + expected);
    }

    @Test
    void awake_it_is_the_monotonic_clock() {
        assertEquals(7, passed(() -> pass(7)));
        assertEquals(1, looks, "at the start");
        assertNear(5_000, passed(() -> pass(5_000)));
        assertEquals(2, looks);
    }

    @Test
    void it_goes_on_while_the_machine_sleeps() {
        assertNear(3_603, passed(() -> {
            pass(3);
            sleep(3_600);
        }));
        assertNear(700, passed(() -> sleep(700)));
    }

    @Test
    void a_pause_between_two_clocks_is_no_sleep() {
        int[] pauses = {1};
        whileReading = () -> pass(pauses[0]-- > 0 ? 5_000 : 0);
        assertNear(6_000, passed(() -> {
            pass(1_000);
            assertTrue(time.getAsLong() != 0, "it stands still in there");
        }));
    }

    @Test
    void sleep_is_seen_although_this_stood_still_when_it_began() {
        int[] pauses = {1};
        whileReading = () -> pass(pauses[0]-- > 0 ? 5_000 : 0);
        BootTime begun = newTime();
        long before = begun.getAsLong();
        sleep(3_000);
        assertNear(3_000, (begun.getAsLong() - before) / MILLI);
    }

    @Test
    void where_clocks_are_always_read_slowly_no_sleep_is_missed() {
        whileReading = () -> pass(40);
        BootTime begun = newTime();
        long before = begun.getAsLong();
        sleep(3_000);
        assertTrue((begun.getAsLong() - before) / MILLI >= 3_000 - 20);
    }

    @Test
    void steps_of_the_wall_clock_change_nothing() {
        assertEquals(10, passed(() -> {
            pass(10);
            wall += 3_600_000;
        }));
        assertEquals(10, passed(() -> {
            pass(10);
            wall -= 7_200_000;
        }));
        assertEquals(3, looks);
    }

    @Test
    void sleep_that_a_step_back_hides_is_seen_a_second_later() {
        assertEquals(0, passed(() -> {
            sleep(3_000);
            wall -= 3_000;
        }));
        assertNear(4_000, passed(() -> pass(1_000)));
    }

    @Test
    void it_never_goes_back() {
        sleep(2_000);
        long before = time.getAsLong();
        boot -= 1_000;
        wall += 50;
        assertEquals(before, time.getAsLong());
    }

    @Test
    void without_a_time_since_boot_what_the_wall_clock_is_ahead_is_sleep() {
        saysBoot = false;
        assertEquals(3_000, passed(() -> sleep(3_000)));
        assertEquals(0, passed(() -> wall -= 3_000));
        assertEquals(40, passed(() -> wall += 40), "on the safe side");
    }

    @Test
    void the_time_since_boot_is_a_file_s_first_number(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("uptime"), "350735.47 234388.90\n");
        assertEquals(OptionalLong.of(350_735_470), new Uptime(file).get());
        Files.writeString(file, "soon");
        assertEquals(OptionalLong.empty(), new Uptime(file).get());
        assertEquals(OptionalLong.empty(), new Uptime(folder.resolve("none")).get());
    }
}
