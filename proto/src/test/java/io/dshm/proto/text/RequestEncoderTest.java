package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.ValueType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestEncoderTest {

    private static final Key KEY = Key.of("k");

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 0.001",
        "10, 0.010",
        "999, 0.999",
        "1000, 1",
        "1500, 1.500",
        "60000, 60",
        "4611686018427387903, 4611686018427387.903"
    })
    void durations_are_seconds_with_a_fraction_only_where_there_is_one(long millis, String seconds) {
        assertEquals("TOUCH k " + seconds + "\\r\\n", encoded(new Command.Touch(KEY, millis)));
    }

    @Test
    void a_set_is_its_line_and_its_data() {
        assertEquals("SET k 0 2\\r\\n\\r\\n", encoded(new Command.Set(KEY, 0, Notation.bytes("\\r\\n"))));
        assertEquals("SET k 1 0\\r\\n", encoded(new Command.Set(KEY, 1000, new byte[0])));
    }

    @Test
    void incr_names_the_time_to_live_only_where_there_is_one() {
        assertEquals("INCR k -1 5\\r\\n", encoded(new Command.Incr(KEY, -1, 5, 0)));
        assertEquals("INCR k -1 5 0.500\\r\\n", encoded(new Command.Incr(KEY, -1, 5, 500)));
    }

    @Test
    void the_default_region_has_no_name() {
        assertEquals("FLUSHALL\\r\\n", encoded(new Command.FlushAll(new byte[0])));
        assertEquals("FLUSHALL r\\r\\n", encoded(new Command.FlushAll(Notation.bytes("r"))));
    }

    @Test
    void the_longest_duration_of_java_becomes_the_longest_of_the_protocol() {
        byte[] bytes = Notation.bytes(encoded(new Command.Touch(KEY, Long.MAX_VALUE)));
        assertEquals(
                "TOUCH key=\"k\" ttl=" + Limits.TTL_MILLIS_MAX,
                Rendering.of(Feeding.of(new RequestDecoder(0, ValueBudget.UNLIMITED))
                        .feed(bytes, () -> bytes.length)
                        .get(0)));
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "a b", "a\\r\\nFLUSHALL", "a\\n", "\\x00", "a\\x7F"})
    void a_key_that_would_be_read_as_something_else_is_not_sent(String key) {
        assertRefused(new Command.Get(Key.of(Notation.bytes(key))));
        assertRefused(new Command.Set(Key.of(Notation.bytes(key)), 0, new byte[0]));
        assertRefused(new Command.FlushAll(Notation.bytes(key)));
    }

    @Test
    void what_a_server_would_refuse_is_not_sent() {
        assertRefused(new Command.FlushAll(Notation.bytes("r::")));
        assertRefused(new Command.FlushAll(Notation.bytes("\\{65536*r}")));
        assertRefused(new Command.Set(KEY, -1, new byte[0]));
        assertRefused(new Command.Touch(KEY, -1));
        assertRefused(new Command.Incr(KEY, 1, 0, -1));
        assertRefused(new Command.RateLimiter(KEY, -1, 1));
        assertRefused(new Command.RateLimiter(KEY, 1, -1));
    }

    private static void assertRefused(Command command) {
        ByteBuf out = Unpooled.buffer();
        assertThrows(IllegalArgumentException.class, () -> RequestEncoder.encode(command, out));
        assertEquals(0, out.readableBytes(), "written before it was refused");
    }

    private static String encoded(Command command) {
        ByteBuf out = Unpooled.buffer(1);
        RequestEncoder.encode(command, out);
        return Notation.text(ByteBufUtil.getBytes(out));
    }

    @Test
    void typed_commands_say_no_more_than_they_must() {
        assertEquals(
                "PUT k 0 1\\r\\nx",
                encoded(new Command.Put(KEY, 0, ValueType.STRING, 0, Condition.ANY, Notation.bytes("x"))));
        assertEquals(
                "PUT k 1.500 1 type=number flags=4294967295 if=9 id=3 seq=4\\r\\n7",
                encoded(new Command.Identified(
                        3,
                        4,
                        new Command.Put(KEY, 1500, ValueType.NUMBER, -1, Condition.version(9), Notation.bytes("7")))));
        assertEquals("INCR_NUMBER k 0.5\\r\\n", encoded(new Command.IncrNumber(KEY, 0.5, null, 0)));
        assertEquals(
                "INCR_NUMBER k -0 init=inf ttl=1\\r\\n",
                encoded(new Command.IncrNumber(KEY, -0.0, Double.POSITIVE_INFINITY, 1000)));
        assertEquals("KEYS : max=5\\r\\n", encoded(new Command.Keys(new byte[0], 5, 0, null)));
        assertEquals("MULTI 10\\r\\nDELETE k\\r\\n", encoded(new Command.Multi(List.of(new Command.Delete(KEY)), 0)));
    }

    @Test
    void what_cannot_be_said_with_an_identity_is_refused() {
        assertRefused(new Command.Identified(1, 1, new Command.FlushAll(new byte[0])));
        assertRefused(new Command.Fetch(Key.of(Notation.bytes("a b")), false, null));
    }
}
