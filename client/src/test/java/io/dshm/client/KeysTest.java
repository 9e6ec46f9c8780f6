package io.dshm.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dshm.client.internal.Endpoint;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Keys are encoded as ngx.escape_uri does it, each piece between colons. */
class KeysTest {

    @Test
    void what_does_not_fit_is_percent_encoded() {
        assertEquals(
                "sessions:user%207:%25%2B%0D%0A",
                Keys.of("sessions:user 7:%+\r\n").toString());
        assertEquals("a-b.c_d~e!f*g'h(i)j", Keys.of("a-b.c_d~e!f*g'h(i)j").toString());
        assertEquals("%C3%A4", Keys.of("ä").toString());
        assertEquals("a%3Ab", Keys.word("a:b"));
        assertThrows(IllegalArgumentException.class, () -> Keys.of(""));
    }

    @Test
    void and_decoded_again() {
        for (String key : new String[] {"a b:c", "%", "ä%C3", "100%:x"}) {
            byte[] wire = Keys.of(key).bytes();
            assertEquals(key, Keys.decoded(wire, 0, wire.length));
        }
        byte[] odd = "a%zz%4".getBytes(UTF_8);
        assertEquals("a%zz%4", Keys.decoded(odd, 0, odd.length));
    }

    @Test
    void endpoints() {
        assertEquals(
                List.of(
                        new Endpoint("a", 4321),
                        new Endpoint("b", 1),
                        new Endpoint("fd00::1", 2),
                        new Endpoint("fd00::1", 4321),
                        new Endpoint("::1", 4321)),
                Endpoint.parseAll("a, b:1,[fd00::1]:2,[fd00::1],::1", 4321));
        assertEquals("[fd00::1]:2", new Endpoint("fd00::1", 2).toString());
        for (String bad : new String[] {"", "a,", "a:", ":1", "h:0", "h:65536", "h:x", "a b"}) {
            assertThrows(IllegalArgumentException.class, () -> Endpoint.parseAll(bad, 4321), bad);
        }
    }
}
