package io.dshm.client;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SettingsTest {

    @Test
    void what_is_printed_of_them_has_no_secret() {
        Settings settings = new Settings(
                List.of(),
                host -> List.of(),
                null,
                "AUTH me hidden\r\n",
                1,
                Duration.ZERO,
                Duration.ZERO,
                1,
                1,
                true,
                null,
                event -> {},
                null);
        assertFalse(settings.toString().contains("hidden"), settings::toString);
        assertTrue(settings.toString().contains("with a user"), settings::toString);
    }
}
