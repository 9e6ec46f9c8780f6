package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the conversations cannot show: what a decoder holds, leaves and knows between two pieces. */
class RequestDecoderTest {

    private final RequestDecoder decoder = new RequestDecoder(1000, new CountingBudget(0));
    private final Feeding feeding = Feeding.of(decoder);

    @Test
    void a_new_connection_owes_nothing() {
        assertFalse(decoder.midRequest());
    }

    @Test
    void a_line_that_has_begun_is_owed_until_its_end() {
        assertEquals(List.of(), feeding.feed("G"));
        assertTrue(decoder.midRequest());
        assertEquals(List.of(), feeding.feed("ET k\\r"));
        assertTrue(decoder.midRequest());
        assertEquals("GET k\r", feeding.unread());
        assertEquals(List.of("GET key=\"k\""), feeding.feed("\\n"));
        assertFalse(decoder.midRequest());
        assertEquals("", feeding.unread());
    }

    @Test
    void a_line_that_has_begun_after_a_whole_request_is_owed() {
        assertEquals(List.of("GET key=\"k\""), feeding.feed("GET k\\r\\nGET"));
        assertTrue(decoder.midRequest());
    }

    @Test
    void blank_lines_owe_nothing() {
        assertEquals(List.of(), feeding.feed("\\r\\n\\n\\r\\n"));
        assertFalse(decoder.midRequest());
    }

    @Test
    void data_is_owed_and_taken_as_it_arrives() {
        assertEquals(List.of(), feeding.feed("SET k 0 4\\r\\n"));
        assertTrue(decoder.midRequest());
        assertEquals(List.of(), feeding.feed("123"));
        assertTrue(decoder.midRequest());
        assertEquals("", feeding.unread());
        assertEquals(List.of("SET key=\"k\" ttl=0 value=\"1234\""), feeding.feed("4"));
        assertFalse(decoder.midRequest());
    }

    @Test
    void the_data_of_a_refused_set_is_owed_too() {
        assertEquals(List.of("REJECTED malformed_request"), feeding.feed("SET k x 4\\r\\n123"));
        assertTrue(decoder.midRequest());
        assertEquals(List.of("GET key=\"k\""), feeding.feed("4GET k\\r\\n"));
        assertFalse(decoder.midRequest());
    }

    @Test
    void a_refused_set_without_data_owes_nothing() {
        assertEquals(List.of("REJECTED malformed_request"), feeding.feed("SET k x 0\\r\\n"));
        assertFalse(decoder.midRequest());
    }

    @Test
    void after_a_refusal_that_closes_everything_is_ignored() {
        assertEquals(
                List.of("REJECTED malformed_request and closes"),
                feeding.feed("SET k 0 x\\r\\nGET k\\r\\nGET k\\r\\n"));
        assertEquals(List.of(), feeding.feed("GET k\\r\\nGET"));
        assertFalse(decoder.midRequest());
        assertEquals("", feeding.unread());
    }

    @Test
    void the_first_byte_of_tls_is_enough() {
        assertEquals(List.of("REJECTED malformed_request and closes"), feeding.feed("\\x16"));
        assertFalse(decoder.midRequest());
    }

    @Test
    void what_a_browser_sends_is_never_run_whatever_the_method() {
        for (String method : List.of("GET", "HEAD", "POST", "PUT", "SET", "FLUSHALL", "MULTI", "INCR", "QUIT", "FOO")) {
            Feeding browser = Feeding.of(new RequestDecoder(1000, new CountingBudget(0)));
            List<String> requests = browser.feed(method + " /x?a=b HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nDELETE k\\r\\n");
            assertEquals(List.of("REJECTED malformed_request and closes"), requests, method);
        }
    }

    @Test
    void after_quit_everything_is_ignored() {
        assertEquals(List.of("QUIT"), feeding.feed("QUIT\\r\\nGET k\\r\\n"));
        assertFalse(decoder.midRequest());
        assertEquals("", feeding.unread());
    }

    @Test
    void after_close_everything_is_ignored() {
        assertEquals(List.of(), feeding.feed("GET"));
        decoder.close();
        assertFalse(decoder.midRequest());
        assertEquals(List.of(), feeding.feed(" k\\r\\nGET k\\r\\n"));
        assertEquals("", feeding.unread());
    }

    @Test
    void the_longest_value_is_taken_and_a_longer_one_is_not() {
        assertEquals(List.of("SET key=\"k\" ttl=0 value=\"\\{1000*v}\""), feeding.feed("SET k 0 1000\\r\\n\\{1000*v}"));
        assertEquals(List.of("REJECTED too_large"), feeding.feed("SET k 0 1001\\r\\n\\{1000*v}"));
        assertEquals(List.of("QUIT"), feeding.feed("vQUIT\\r\\n"));
    }

    @Test
    void a_line_without_end_is_refused_once_it_is_too_long() {
        assertEquals(List.of(), feeding.feed("\\{" + (Limits.LINE_BYTES_MAX + 1) + "*x}"));
        assertTrue(decoder.midRequest());
        assertEquals(List.of("REJECTED too_large and closes"), feeding.feed("x"));
        assertFalse(decoder.midRequest());
    }

    @Test
    void the_longest_line_fits_with_both_its_ends() {
        String longest = "\\{" + Limits.LINE_BYTES_MAX + "*x}";
        assertEquals(List.of("REJECTED malformed_request"), feeding.feed(longest + "\\n"));
        assertEquals(List.of(), feeding.feed(longest));
        assertEquals(List.of(), feeding.feed("\\r"));
        assertEquals(List.of("REJECTED malformed_request"), feeding.feed("\\n"));
    }

    @Test
    void a_line_fed_byte_by_byte_is_searched_once() {
        SearchCountingBuf in = new SearchCountingBuf();
        int length = Limits.LINE_BYTES_MAX;
        for (int i = 0; i < length; i++) {
            in.writeByte('x');
            decoder.decode(in);
        }
        assertEquals(length, in.searched);
    }

    @Test
    void buffers_are_neither_kept_nor_released() {
        ByteBuf in = Unpooled.copiedBuffer("SET k 0 4\r\n12", StandardCharsets.US_ASCII);
        decoder.decode(in);
        assertEquals(1, in.refCnt());
        in.release();
        decoder.close();
    }

    @Test
    void the_largest_value_has_its_limits() {
        assertThrows(IllegalArgumentException.class, () -> new RequestDecoder(-1, ValueBudget.UNLIMITED));
        assertThrows(
                IllegalArgumentException.class,
                () -> new RequestDecoder(Limits.VALUE_BYTES_MAX + 1, ValueBudget.UNLIMITED));
    }

    private static final class SearchCountingBuf extends UnpooledHeapByteBuf {

        private long searched;

        SearchCountingBuf() {
            super(UnpooledByteBufAllocator.DEFAULT, 16, Integer.MAX_VALUE);
        }

        @Override
        public int indexOf(int fromIndex, int toIndex, byte value) {
            searched += toIndex - fromIndex;
            return super.indexOf(fromIndex, toIndex, value);
        }
    }
}
