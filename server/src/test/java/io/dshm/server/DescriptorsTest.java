package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import org.junit.jupiter.api.Test;

/** How many clients there may be, by what the process may open. */
class DescriptorsTest {

    @Test
    void clients_get_what_the_node_does_not_need() {
        assertEquals(10_000, Descriptors.connectionsMax(10_000, 100, 65_536));
        assertEquals(1_000 - 100 - Limits.DESCRIPTORS_RESERVED, Descriptors.connectionsMax(10_000, 100, 1_000));
    }

    @Test
    void a_node_that_could_take_no_clients_says_what_to_raise() {
        long least = 100 + Limits.DESCRIPTORS_RESERVED + Limits.CONNECTIONS_MIN;
        assertEquals(Limits.CONNECTIONS_MIN, Descriptors.connectionsMax(10_000, 100, least));
        var refused =
                assertThrows(IllegalStateException.class, () -> Descriptors.connectionsMax(10_000, 100, least - 1));
        assertTrue(String.valueOf(refused.getMessage()).contains("LimitNOFILE"), refused.getMessage());
    }
}
