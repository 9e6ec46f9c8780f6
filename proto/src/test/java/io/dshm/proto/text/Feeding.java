package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;

/** Feeds a decoder as a connection would: each piece is added to what the decoder has left unread. */
final class Feeding {

    private final RequestDecoder decoder;
    private final CountingBudget budget;
    private final ByteBuf in;
    private long fed;

    Feeding(RequestDecoder decoder, CountingBudget budget, ByteBuf in) {
        this.decoder = decoder;
        this.budget = budget;
        this.in = in;
    }

    /** For a decoder that needs no budget, a buffer of its own. */
    static Feeding of(RequestDecoder decoder) {
        return new Feeding(decoder, new CountingBudget(0), Unpooled.buffer());
    }

    /** What the text, in the conversations' notation, decodes to as one piece. */
    List<String> feed(String notation) {
        byte[] bytes = Notation.bytes(notation);
        return feed(bytes, () -> bytes.length).stream().map(Rendering::of).toList();
    }

    /** What the bytes decode to, in pieces of these sizes. What a value holds of the budget is given back. */
    List<Request> feed(byte[] bytes, IntSupplier pieceSize) {
        List<Request> requests = new ArrayList<>();
        for (int at = 0; at < bytes.length; ) {
            int piece = Math.min(pieceSize.getAsInt(), bytes.length - at);
            in.discardReadBytes();
            in.writeBytes(bytes, at, piece);
            at += piece;
            fed += piece;
            Request request = decoder.decode(in);
            while (request != null) {
                requests.add(request);
                giveBack(request);
                request = decoder.decode(in);
            }
            assertTrue(in.readableBytes() <= Limits.LONG_LINE_BYTES_MAX + 1, "unread: " + in.readableBytes());
            assertTrue(budget.reserved() <= 2 * fed, "more is reserved than has arrived");
        }
        return requests;
    }

    private void giveBack(Request request) {
        if (RequestDecoder.budgetOf(request) > 0) {
            budget.release(RequestDecoder.budgetOf(request));
        }
    }

    /** The bytes that the decoder has left unread, as text. */
    String unread() {
        return in.toString(StandardCharsets.ISO_8859_1);
    }
}
