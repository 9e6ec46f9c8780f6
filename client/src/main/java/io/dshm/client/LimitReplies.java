package io.dshm.client;

import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.text.ProtocolException;
import io.dshm.proto.text.ReplyDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the replies of limits. An error among them is thrown as {@link DshmConnection} says. */
final class LimitReplies {

    private LimitReplies() {}

    static Decision decision(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.detail("allowed") == null) {
            throw DshmConnection.unexpected(reply);
        }
        return new Decision(
                number(detailed, "allowed") == 1,
                number(detailed, "limit"),
                number(detailed, "remaining"),
                Duration.ofMillis(number(detailed, "reset")),
                retry(detailed),
                Duration.ofMillis(detailed.detail("delay") == null ? 0 : number(detailed, "delay")));
    }

    static Decisions decisions(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.value() == null) {
            throw DshmConnection.unexpected(reply);
        }
        List<Decision> each = new ArrayList<>();
        ReplyDecoder decoder = new ReplyDecoder(Limits.VALUE_BYTES_MAX);
        ByteBuf in = Unpooled.wrappedBuffer(detailed.value());
        try {
            for (Reply one = decoder.decode(in); one != null; one = decoder.decode(in)) {
                each.add(decision(one));
            }
        } catch (ProtocolException e) {
            throw new IOException(e);
        }
        return new Decisions(number(detailed, "allowed") == 1, each);
    }

    static Permit permit(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.detail("allowed") == null) {
            throw DshmConnection.unexpected(reply);
        }
        return new Permit(
                number(detailed, "allowed") == 1,
                number(detailed, "limit"),
                number(detailed, "remaining"),
                retry(detailed),
                detailed.detail("fence") == null ? 0 : number(detailed, "fence"));
    }

    static Optional<Duration> retry(Reply.Detailed detailed) throws IOException {
        long millis = number(detailed, "retry");
        return millis < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(millis));
    }

    static long number(Reply.Detailed detailed, String name) throws IOException {
        String number = detailed.detail(name);
        if (number == null) {
            throw DshmConnection.unexpected(detailed);
        }
        return Long.parseLong(number);
    }
}
