package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;

/** The text codec for a fuzzer: what any bytes do to a server, and to a client. An exception other than those that are meant is a find. */
public final class CodecFuzz {

    private static final int VALUE_BYTES_MAX = 4 * Limits.VALUE_BUDGET_STEP_BYTES;
    private static final int REPLY_BYTES_MAX = 1000;

    private CodecFuzz() {}

    /** Requests: the same come out however the bytes are cut, nothing stays reserved, and nothing follows what closes. */
    public static void requests(byte[] data) {
        List<String> whole = decode(data, Math.max(1, data.length));
        List<String> cut = decode(data, data.length == 0 ? 1 : 1 + (data[data.length - 1] & 7));
        if (!whole.equals(cut)) {
            throw new IllegalStateException(whole + " or " + cut);
        }
    }

    private static List<String> decode(byte[] data, int piece) {
        CountingBudget budget = new CountingBudget(3 * Limits.VALUE_BUDGET_STEP_BYTES);
        RequestDecoder decoder = new RequestDecoder(VALUE_BYTES_MAX, budget);
        List<Request> requests = new Feeding(decoder, budget, Unpooled.buffer()).feed(data, () -> piece);
        decoder.close();
        if (budget.reserved() != 0) {
            throw new IllegalStateException(budget.reserved() + " bytes stay reserved");
        }
        for (Request request : requests.subList(0, Math.max(0, requests.size() - 1))) {
            if (request instanceof Rejection rejection && rejection.closes()) {
                throw new IllegalStateException("a request after the last");
            }
        }
        return requests.stream().map(Rendering::of).toList();
    }

    /** Replies: each takes bytes, or there is none, or the connection is of no use any more. */
    public static void replies(byte[] data) {
        ByteBuf in = Unpooled.wrappedBuffer(data);
        ReplyDecoder decoder = new ReplyDecoder(REPLY_BYTES_MAX);
        try {
            int before = in.readerIndex();
            for (Reply reply = decoder.decode(in); reply != null; reply = decoder.decode(in)) {
                if (in.readerIndex() <= before) {
                    throw new IllegalStateException("a reply of no bytes");
                }
                before = in.readerIndex();
            }
        } catch (ProtocolException refused) {
            if (String.valueOf(refused.getMessage()).isEmpty()) {
                throw new IllegalStateException("refused without a reason", refused);
            }
        }
    }
}
