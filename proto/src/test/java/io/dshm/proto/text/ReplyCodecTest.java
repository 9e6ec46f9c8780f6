package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReplyCodecTest {

    private static final int VALUE_BYTES_MAX = 1000;

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 9, 10, 99, 100, -100, 12345678901L, Long.MAX_VALUE, Long.MIN_VALUE})
    void integers_are_their_digits(long number) throws ProtocolException {
        String digits = Long.toString(number);
        String expected = "LEN " + digits.length() + "\\r\\n" + digits + "\\r\\nDONE\\r\\n";
        assertEquals(expected, encoded(new Reply.IntegerValue(number)));
        Reply.Value decoded = (Reply.Value) decode(expected);
        assertEquals(digits, Notation.text(decoded == null ? new byte[0] : decoded.bytes()));
    }

    @ParameterizedTest
    @EnumSource(Reply.Done.class)
    void whether_anything_was_there_to_delete_is_not_told(Reply.Done done) throws ProtocolException {
        assertEquals("DONE\\r\\n", encoded(done));
        assertEquals(Reply.Done.DONE, decode(encoded(done)));
    }

    @Test
    void a_value_in_three_parts_is_the_same_as_in_one() {
        byte[] value = Notation.bytes("a\\x00\\r\\n");
        ByteBuf out = Unpooled.buffer();
        ReplyEncoder.encodeHead(value.length, out);
        out.writeBytes(value);
        ReplyEncoder.encodeTail(out);
        assertEquals(encoded(new Reply.Value(value)), Notation.text(ByteBufUtil.getBytes(out)));
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void errors_come_through_with_and_without_text(ErrorCode code) throws ProtocolException {
        String line = "ERROR " + code.wireName();
        assertEquals(line + "\\r\\n", encoded(new Reply.Failure(code, null)));
        assertEquals(line + " some text\\r\\n", encoded(new Reply.Failure(code, "some text")));
        assertEquals(new Reply.Failure(code, null), decode(line + "\\r\\n"));
        assertEquals(new Reply.Failure(code, "some text"), decode(line + " some text\\r\\n"));
    }

    @Test
    void an_error_stays_one_line_of_ascii_whatever_its_text() {
        assertEquals(
                "ERROR busy a??LEN 1??caf???\\r\\n",
                encoded(new Reply.Failure(ErrorCode.BUSY, "a\r\nLEN 1\r\ncaf\u00E9\0\u007F")));
        assertEquals("ERROR busy\\r\\n", encoded(new Reply.Failure(ErrorCode.BUSY, "")));
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void the_longest_error_fits_into_a_replys_line(ErrorCode code) throws ProtocolException {
        Reply cut = new Reply.Failure(code, "x".repeat(Limits.ERROR_TEXT_BYTES_MAX));
        assertEquals(cut, decode(encoded(new Reply.Failure(code, "x".repeat(100_000)))));
    }

    @Test
    void the_longest_value_is_taken_and_a_longer_one_is_not() throws ProtocolException {
        Reply.Value value = (Reply.Value) decode("LEN 1000\\r\\n\\{1000*v}\\r\\nDONE\\r\\n");
        assertArrayEquals(Notation.bytes("\\{1000*v}"), value == null ? null : value.bytes());
        assertNoReply("LEN 1001\\r\\n");
    }

    @Test
    void a_reply_in_pieces_is_awaited() throws ProtocolException {
        ReplyDecoder decoder = new ReplyDecoder(VALUE_BYTES_MAX);
        ByteBuf in = Unpooled.buffer();
        for (String piece : new String[] {"LE", "N 2\\r", "\\n", "a", "b\\r\\nDO", "NE\\r"}) {
            in.writeBytes(Notation.bytes(piece));
            assertNull(decoder.decode(in), piece);
        }
        in.writeBytes(Notation.bytes("\\nDONE\\r\\nDO"));
        assertEquals(2, ((Reply.Value) nonNull(decoder.decode(in))).bytes().length);
        assertEquals(Reply.Done.DONE, decoder.decode(in));
        assertNull(decoder.decode(in));
        assertEquals(2, in.readableBytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\\r\\n",
                "\\n",
                "\\r\\nDONE\\r\\n",
                "DONE\\n",
                "DONE \\r\\n",
                "done\\r\\n",
                "OK\\r\\n",
                "LEN\\r\\n",
                "LEN \\r\\n",
                "LEN -1\\r\\n",
                "LEN +1\\r\\n",
                "LEN 1 \\r\\n",
                "LEN 1000000000000000000\\r\\n",
                "LEN 1\\r\\nxx",
                "LEN 1\\r\\nx\\n",
                "LEN 1\\r\\nx\\r\\nDONE \\r\\n",
                "ERROR\\r\\n",
                "ERROR \\r\\n",
                "ERROR BUSY\\r\\n",
                "HTTP/1.1 400 Bad Request\\r\\n",
                "\\{514*x}"
            })
    void what_is_no_reply_is_an_exception_from_then_on(String bytes) {
        assertNoReply(bytes);
    }

    @Test
    void a_code_of_a_newer_server_is_an_outcome_that_is_not_known() throws ProtocolException {
        assertEquals(
                new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, "no_such_code and text"),
                decode("ERROR no_such_code and text\\r\\n"));
    }

    @Test
    void a_line_is_awaited_no_longer_than_it_may_be() throws ProtocolException {
        assertNull(decode("\\{513*x}"));
    }

    private static void assertNoReply(String bytes) {
        ReplyDecoder decoder = new ReplyDecoder(VALUE_BYTES_MAX);
        ByteBuf in = Unpooled.copiedBuffer(Notation.bytes(bytes));
        assertThrows(ProtocolException.class, () -> decoder.decode(in));
        ByteBuf fine = Unpooled.copiedBuffer(Notation.bytes("DONE\\r\\n"));
        assertThrows(ProtocolException.class, () -> decoder.decode(fine));
    }

    private static String encoded(Reply reply) {
        ByteBuf out = Unpooled.buffer(1);
        ReplyEncoder.encode(reply, out);
        return Notation.text(ByteBufUtil.getBytes(out));
    }

    private static @Nullable Reply decode(String bytes) throws ProtocolException {
        return new ReplyDecoder(VALUE_BYTES_MAX).decode(Unpooled.copiedBuffer(Notation.bytes(bytes)));
    }

    private static Reply nonNull(@Nullable Reply reply) {
        if (reply == null) {
            throw new AssertionError("no reply");
        }
        return reply;
    }
}
