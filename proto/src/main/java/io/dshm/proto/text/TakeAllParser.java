package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/** Parses the data of TAKE_ALL. */
final class TakeAllParser {

    private static final Rejection TOO_MANY =
            DataParser.tooLarge("a TAKE_ALL has at most " + Limits.TAKES_MAX + " requests");

    private TakeAllParser() {}

    static Request parse(byte[] data) {
        List<Command.Take> takes = new ArrayList<>();
        RequestDecoder decoder = RequestDecoder.ofMulti(0);
        ByteBuf in = Unpooled.wrappedBuffer(data);
        for (Request request = decoder.decode(in); request != null; request = decoder.decode(in)) {
            int number = takes.size() + 1;
            if (!(request instanceof Command.Take take)) {
                return DataParser.refusalOf(Verb.TAKE_ALL, number, request, "all are TAKE without an identity");
            }
            if (number > 1 && !take.key().isOfRegionOf(takes.get(0).key())) {
                return Verb.TAKE_ALL.malformed("request " + number + " is not of the region of the first one");
            }
            takes.add(take);
            if (takes.size() > Limits.TAKES_MAX) {
                return TOO_MANY;
            }
        }
        if (decoder.midRequest()) {
            return DataParser.endsWithin(Verb.TAKE_ALL, takes.size() + 1);
        }
        return takes.isEmpty()
                ? Verb.TAKE_ALL.malformed(DataParser.NO_REQUESTS)
                : new Command.TakeAll(takes, data.length);
    }
}
