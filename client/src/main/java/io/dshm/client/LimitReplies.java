package io.dshm.client;

import io.dshm.proto.Reply;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the replies of limits. An error among them is thrown as {@link Replies} says. */
final class LimitReplies {

    private LimitReplies() {}

    static Decision decision(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.detail("allowed") == null) {
            throw Replies.unexpected(reply);
        }
        return new Decision(
                Replies.number(detailed, "allowed") == 1,
                Replies.number(detailed, "limit"),
                Replies.number(detailed, "remaining"),
                Duration.ofMillis(Replies.number(detailed, "reset")),
                retry(detailed),
                Duration.ofMillis(detailed.detail("delay") == null ? 0 : Replies.number(detailed, "delay")));
    }

    static Decisions decisions(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.value() == null) {
            throw Replies.unexpected(reply);
        }
        List<Decision> each = new ArrayList<>();
        for (Reply one : Replies.within(detailed.value())) {
            each.add(decision(one));
        }
        return new Decisions(Replies.number(detailed, "allowed") == 1, each);
    }

    static Permit permit(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.detail("allowed") == null) {
            throw Replies.unexpected(reply);
        }
        return new Permit(
                Replies.number(detailed, "allowed") == 1,
                Replies.number(detailed, "limit"),
                Replies.number(detailed, "remaining"),
                retry(detailed),
                detailed.detail("fence") == null ? 0 : Replies.number(detailed, "fence"));
    }

    static Share share(Reply reply) throws IOException {
        if (!(reply instanceof Reply.Detailed detailed) || detailed.detail("granted") == null) {
            throw Replies.unexpected(reply);
        }
        return new Share(
                Replies.number(detailed, "granted"),
                Replies.number(detailed, "limit"),
                Replies.number(detailed, "remaining"),
                Duration.ofMillis(Replies.number(detailed, "life")));
    }

    static Optional<Duration> retry(Reply.Detailed detailed) throws IOException {
        long millis = Replies.number(detailed, "retry");
        return millis < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(millis));
    }
}
