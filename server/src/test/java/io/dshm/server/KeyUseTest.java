package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.Key;
import io.dshm.server.frontend.HotKeys;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What operators are told of the keys that are used most. */
class KeyUseTest {

    @Test
    void keys_are_shown_as_text_with_their_rate_and_share() {
        List<HotKeys.HotKey> hottest = List.of(
                new HotKeys.HotKey(Key.of("api:\"\u0001"), 12.5, 0.25), new HotKeys.HotKey(Key.of("b"), 1, 0.02));
        assertEquals(
                Map.of(
                        "node",
                        "n1",
                        "keys",
                        List.of(
                                Map.of("key", "api:\\x22\\x01", "perSecond", 12.5, "share", 0.25),
                                Map.of("key", "b", "perSecond", 1.0, "share", 0.02)),
                        "refused",
                        List.of()),
                KeyUse.of("n1", hottest, List.of()));
    }
}
