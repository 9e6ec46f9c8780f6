package io.dshm.server.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SeldomLoggedTest {

    private long nanos = Long.MAX_VALUE - 1;

    @Test
    void the_first_is_logged_and_then_one_in_ten_seconds_that_says_how_many_there_were() {
        SeldomLogged refused = new SeldomLogged(() -> nanos, Duration.ofSeconds(10));
        assertEquals(1, refused.next());
        for (int i = 0; i < 100; i++) {
            assertEquals(0, refused.next());
        }
        nanos += TimeUnit.SECONDS.toNanos(10);
        assertEquals(101, refused.next());
        assertEquals(0, refused.next());
    }
}
