package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client is told that has sent what is no request. */
class VerbTest {

    /** What a MULTI puts before the text of one of its requests, at most. */
    private static final int NUMBER_BYTES_MAX = "request 1024: ".length();

    private static String textOf(String line) {
        ByteBuf in = Unpooled.copiedBuffer(line + "\n", StandardCharsets.ISO_8859_1);
        Request request = new RequestDecoder(1000, ValueBudget.UNLIMITED).decode(in);
        return request instanceof Rejection rejection
                ? String.valueOf(rejection.failure().text())
                : "no refusal: " + request;
    }

    @ParameterizedTest
    @EnumSource(Verb.class)
    void every_text_of_a_verb_names_it_and_is_sent_whole(Verb verb) {
        for (String wrong : List.of("", LineParser.EXP, LineParser.BAD_IDENTITY)) {
            String text = String.valueOf(verb.malformed(wrong).failure().text());
            assertTrue(text.contains(verb.name() + " takes"), text);
            assertTrue(text.length() + NUMBER_BYTES_MAX <= Limits.ERROR_TEXT_BYTES_MAX, text);
        }
    }

    @Test
    void help_names_all_verbs() {
        String text = textOf("help");
        for (Verb verb : Verb.values()) {
            assertTrue(text.contains(" " + verb.name()), text);
        }
        assertTrue(text.length() <= Limits.ERROR_TEXT_BYTES_MAX, text);
    }

    @ParameterizedTest
    @CsvSource({
        "DEL k, DELETE",
        "del k, DELETE",
        "PING x, PING",
        "HELLO 3, INFO",
        "SETEX k 10 v, SET",
        "SETNX k v, PUT",
        "DECRBY k 1, INCR",
        "PTTL k, STAT",
        "SCAN 0, KEYS",
        "FLUSHDB, FLUSHALL",
        "EXEC, MULTI",
        "gets k, FETCH",
        "cas k 0 0 1 7, PUT",
        "flush_all, FLUSHALL",
        "version, INFO",
        "INCRR k 1 0, INCR",
        "RATELIMITER k 1 1, RATE_LIMITER",
        "INCR k, INCR"
    })
    void the_nearest_verb_is_named(String line, String nearest) {
        assertTrue(textOf(line).contains(nearest + " takes"), textOf(line));
    }

    @ParameterizedTest
    @CsvSource({"\u0001\u0002\u00ff", "xyzzyxyzzyxyzzyxyzzyxyzzyxyzzy", "Q", "'<script>'"})
    void of_what_is_near_to_nothing_no_byte_comes_back(String line) {
        assertEquals("unknown verb. HELP lists the verbs", textOf(line));
    }
}
