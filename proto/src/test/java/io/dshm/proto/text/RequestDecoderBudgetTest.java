package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A large value counts against the node's budget as it arrives, and only then. */
class RequestDecoderBudgetTest {

    private static final int STEP = Limits.VALUE_BUDGET_STEP_BYTES;

    private final CountingBudget budget = new CountingBudget(10L * STEP);
    private final RequestDecoder decoder = new RequestDecoder(Limits.VALUE_BYTES_MAX, budget);
    private final ByteBuf in = Unpooled.buffer();

    @Test
    void a_value_of_one_step_reserves_nothing() {
        assertNull(send("SET k 0 " + STEP + "\r\n"));
        assertNotNull(sendData(STEP));
        assertEquals(0, budget.reservedMost());
        assertEquals(0, RequestDecoder.budgetOf(STEP));
        assertEquals(0, RequestDecoder.budgetOf(0));
    }

    @Test
    void announcing_a_value_reserves_nothing() {
        assertNull(send("SET k 0 " + 8 * STEP + "\r\n"));
        assertNull(sendData(STEP));
        assertEquals(0, budget.reserved());
    }

    @Test
    void what_is_reserved_doubles_with_what_arrives_up_to_the_length() {
        assertNull(send("SET k 0 " + 5 * STEP + "\r\n"));
        assertNull(sendData(STEP));
        assertNull(sendData(1));
        assertEquals(2 * STEP, budget.reserved());
        assertNull(sendData(STEP));
        assertEquals(4 * STEP, budget.reserved());
        assertNull(sendData(2 * STEP));
        assertEquals(5 * STEP, budget.reserved());
    }

    @Test
    void a_finished_value_keeps_its_length_reserved_for_the_caller() {
        int length = STEP + 1;
        assertNull(send("SET k 0 " + length + "\r\n"));
        Request request = sendData(length);
        assertEquals(length, ((Command.Set) assertNonNull(request)).value().length);
        assertEquals(length, budget.reserved());
        assertEquals(length, RequestDecoder.budgetOf(length));
        decoder.close();
        assertEquals(length, budget.reserved());
    }

    @Test
    void a_value_beyond_the_budget_is_refused_and_the_connection_goes_on() {
        assertNull(send("SET k 0 " + 11 * STEP + "\r\n"));
        assertNull(sendData(8 * STEP));
        assertEquals(8 * STEP, budget.reserved());
        Request refusal = sendData(1);
        assertEquals("REJECTED busy", Rendering.of(assertNonNull(refusal)));
        assertEquals(0, budget.reserved());
        assertTrue(decoder.midRequest());
        assertNull(sendData(3 * STEP - 1));
        assertFalse(decoder.midRequest());
        assertEquals("GET key=\"k\"", Rendering.of(assertNonNull(send("GET k\r\n"))));
    }

    @Test
    void what_others_hold_counts() {
        assertTrue(budget.reserve(10 * STEP));
        assertNull(send("SET k 0 " + 2 * STEP + "\r\n"));
        assertNull(sendData(STEP));
        assertEquals("REJECTED busy", Rendering.of(assertNonNull(sendData(STEP))));
        assertFalse(decoder.midRequest());
        assertEquals(10 * STEP, budget.reserved());
        budget.release(10 * STEP);
        assertNull(send("SET k 0 " + 2 * STEP + "\r\n"));
        assertNotNull(sendData(2 * STEP));
    }

    @Test
    void before_a_client_has_said_who_it_is_it_takes_nothing_of_the_budget() {
        AtomicBoolean known = new AtomicBoolean();
        RequestDecoder unknown = new RequestDecoder(Limits.VALUE_BYTES_MAX, budget, known::get);
        for (String request : new String[] {"SET k 0 ", "LPUSH k ", "MULTI "}) {
            int length = Math.min(3 * STEP, Limits.MULTI_BYTES_MAX);
            in.writeCharSequence(request + length + "\r\n", StandardCharsets.US_ASCII);
            assertEquals("REJECTED auth_required", Rendering.of(assertNonNull(unknown.decode(in))));
            in.writeZero(length - 1);
            assertNull(unknown.decode(in));
            assertTrue(unknown.midRequest());
            in.writeZero(1);
            assertNull(unknown.decode(in));
            assertFalse(unknown.midRequest());
        }
        in.writeCharSequence("FETCH " + "k".repeat(Limits.LINE_BYTES_MAX + 1000), StandardCharsets.US_ASCII);
        assertEquals(
                "REJECTED too_large",
                Rendering.of(assertNonNull(unknown.decode(in))).substring(0, 18));
        assertEquals(0, budget.reservedMost());
        in.clear();
        known.set(true);
        RequestDecoder of = new RequestDecoder(Limits.VALUE_BYTES_MAX, budget, known::get);
        in.writeCharSequence("SET k 0 1\r\nx", StandardCharsets.US_ASCII);
        assertNotNull(of.decode(in));
    }

    @Test
    void a_long_line_counts_as_it_arrives_and_no_more_when_it_is_there() {
        CountingBudget large = new CountingBudget(Limits.LONG_LINE_BYTES_MAX);
        RequestDecoder longLines = new RequestDecoder(Limits.VALUE_BYTES_MAX, large);
        in.writeCharSequence("FETCH " + "k".repeat(Limits.LINE_BYTES_MAX - 6), StandardCharsets.US_ASCII);
        assertNull(longLines.decode(in));
        assertEquals(0, large.reserved(), "a line as long as any");
        in.writeCharSequence("k".repeat(1000), StandardCharsets.US_ASCII);
        assertNull(longLines.decode(in));
        assertEquals(Limits.LINE_BYTES_MAX + 1000, large.reserved());
        in.writeCharSequence("k".repeat(1000) + "\r\n", StandardCharsets.US_ASCII);
        assertNotNull(longLines.decode(in));
        assertEquals(0, large.reserved());
    }

    @Test
    void a_long_line_beyond_the_budget_closes_the_connection() {
        assertTrue(budget.reserve(10 * STEP));
        assertNull(send("FETCH " + "k".repeat(Limits.LINE_BYTES_MAX - 6)));
        assertEquals("REJECTED busy and closes", Rendering.of(assertNonNull(send("k".repeat(1000)))));
        assertEquals(10 * STEP, budget.reserved());
    }

    @Test
    void a_multi_that_writes_keeps_its_data_reserved_and_one_that_reads_does_not() {
        String write = "PUT k 0 " + (2 * STEP) + "\r\n" + "v".repeat(2 * STEP);
        Request writes = assertNonNull(send("MULTI " + write.length() + "\r\n" + write));
        assertEquals(write.length(), ((Command.Multi) writes).dataBytes());
        assertEquals(write.length(), budget.reserved());
        budget.release(write.length());
        String reads = "GET k\r\n".repeat(STEP / 5);
        assertTrue(assertNonNull(send("MULTI " + reads.length() + "\r\n" + reads)) instanceof Command.MultiRead);
        assertEquals(0, budget.reserved());
        String neither = write + "GET k\r\n";
        assertEquals(
                "REJECTED malformed_request",
                Rendering.of(assertNonNull(send("MULTI " + neither.length() + "\r\n" + neither))));
        assertEquals(0, budget.reserved());
    }

    @Test
    void close_gives_back_what_an_unfinished_value_holds() {
        assertNull(send("SET k 0 " + 4 * STEP + "\r\n"));
        assertNull(sendData(3 * STEP));
        assertEquals(4 * STEP, budget.reserved());
        decoder.close();
        assertEquals(0, budget.reserved());
        decoder.close();
        assertEquals(0, budget.reserved());
    }

    private @Nullable Request send(String text) {
        in.writeCharSequence(text, StandardCharsets.US_ASCII);
        return decoder.decode(in);
    }

    private @Nullable Request sendData(int bytes) {
        in.discardReadBytes();
        in.writeZero(bytes);
        Request request = decoder.decode(in);
        if (request != null) {
            assertNull(decoder.decode(in));
        }
        assertFalse(in.isReadable());
        return request;
    }

    private static Request assertNonNull(@Nullable Request request) {
        if (request == null) {
            throw new AssertionError("no request");
        }
        return request;
    }
}
