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

/** A large request counts against the node's budget as it arrives, and then until its caller gives that back. */
class RequestDecoderBudgetTest {

    private static final int STEP = Limits.VALUE_BUDGET_STEP_BYTES;

    private final CountingBudget budget = new CountingBudget(10L * STEP);
    private final RequestDecoder decoder = new RequestDecoder(Limits.VALUE_BYTES_MAX, budget);
    private final ByteBuf in = Unpooled.buffer();

    @Test
    void a_request_of_one_step_reserves_nothing() {
        assertNull(send("SET k 0 " + (STEP - 1) + "\r\n"));
        Request request = assertNonNull(sendData(STEP - 1));
        assertEquals(STEP, request.heldBytes());
        assertEquals(0, budget.reservedMost());
        assertEquals(0, RequestDecoder.budgetOf(request));
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
    void a_finished_request_keeps_its_key_and_value_reserved_for_the_caller() {
        int length = STEP + 1;
        assertNull(send("SET k 0 " + length + "\r\n"));
        Request request = assertNonNull(sendData(length));
        assertEquals(length, ((Command.Set) request).value().length);
        assertEquals(length + 1, budget.reserved());
        assertEquals(length + 1, RequestDecoder.budgetOf(request));
        decoder.close();
        assertEquals(length + 1, budget.reserved());
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
        assertEquals(
                "k", ((Command.Set) assertNonNull(sendData(2 * STEP))).key().toString());
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
    void a_long_line_counts_as_it_arrives_and_its_key_when_it_is_there() {
        CountingBudget large = new CountingBudget(Limits.LONG_LINE_BYTES_MAX);
        RequestDecoder longLines = new RequestDecoder(Limits.VALUE_BYTES_MAX, large);
        in.writeCharSequence("FETCH " + "k".repeat(Limits.LINE_BYTES_MAX - 6), StandardCharsets.US_ASCII);
        assertNull(longLines.decode(in));
        assertEquals(0, large.reserved(), "a line as long as any");
        in.writeCharSequence("k".repeat(1000), StandardCharsets.US_ASCII);
        assertNull(longLines.decode(in));
        assertEquals(Limits.LINE_BYTES_MAX + 1000, large.reserved());
        in.writeCharSequence("k".repeat(1000) + "\r\n", StandardCharsets.US_ASCII);
        Request request = assertNonNull(longLines.decode(in));
        assertEquals(Limits.LINE_BYTES_MAX - 6 + 2000, large.reserved());
        assertEquals(large.reserved(), RequestDecoder.budgetOf(request));
    }

    @Test
    void a_long_key_counts_while_its_data_arrives_and_then_with_it() {
        String key = "k".repeat(2 * STEP);
        String line = "SET " + key + " 0 100";
        assertNull(send(line + "\r\n"));
        assertEquals(line.length(), budget.reserved());
        assertNull(sendData(99));
        assertEquals(line.length(), budget.reserved());
        assertNotNull(sendData(1));
        assertEquals(key.length() + 100, budget.reserved());
        assertNull(send(line + "\r\n"));
        decoder.close();
        assertEquals(key.length() + 100, budget.reserved());
    }

    @Test
    void a_long_key_beyond_the_budget_is_refused_and_the_connection_goes_on() {
        assertTrue(budget.reserve(9 * STEP));
        String key = "k".repeat(2 * STEP);
        assertEquals("REJECTED busy", Rendering.of(assertNonNull(send("GET " + key + "\r\n"))));
        assertEquals("REJECTED busy", Rendering.of(assertNonNull(send("SET " + key + " 0 100\r\n"))));
        assertNull(sendData(100));
        assertEquals("GET key=\"k\"", Rendering.of(assertNonNull(send("GET k\r\n"))));
        assertEquals(9 * STEP, budget.reserved());
    }

    @Test
    void a_long_line_beyond_the_budget_closes_the_connection() {
        assertTrue(budget.reserve(10 * STEP));
        assertNull(send("FETCH " + "k".repeat(Limits.LINE_BYTES_MAX - 6)));
        assertEquals("REJECTED busy and closes", Rendering.of(assertNonNull(send("k".repeat(1000)))));
        assertEquals(10 * STEP, budget.reserved());
    }

    @Test
    void a_multi_keeps_reserved_what_its_requests_take_on_the_heap() {
        String write = "PUT k 0 " + (2 * STEP) + "\r\n" + "v".repeat(2 * STEP);
        Request writes = assertNonNull(send("MULTI " + write.length() + "\r\n" + write));
        assertEquals(write.length(), ((Command.Multi) writes).dataBytes());
        int held = write.length() + Limits.INNER_REQUEST_HEAP_BYTES;
        assertEquals(held, budget.reserved());
        assertEquals(held, RequestDecoder.budgetOf(writes));
        budget.release(held);
        String reads = "GET k\r\n".repeat(100);
        Request read = assertNonNull(send("MULTI " + reads.length() + "\r\n" + reads));
        assertTrue(read instanceof Command.MultiRead);
        assertEquals(100 * (Limits.INNER_REQUEST_HEAP_BYTES + 1), budget.reserved());
        assertEquals(budget.reserved(), RequestDecoder.budgetOf(read));
        assertEquals(
                "REJECTED busy",
                Rendering.of(assertNonNull(send("MULTI " + reads.length() + "\r\n" + reads))),
                "few bytes on the wire, and too much on the heap");
        budget.release(RequestDecoder.budgetOf(read));
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
