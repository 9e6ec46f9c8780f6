package io.dshm.server.shares;

import io.dshm.proto.Reply;
import org.jspecify.annotations.Nullable;

/** What the reply to a GRANT says. */
record Granted(long tokens, long limit, long remaining, long lifeMillis) {

    /** Null if nothing was decided. */
    static @Nullable Granted of(Reply reply) {
        if (!(reply instanceof Reply.Detailed detailed)) {
            return null;
        }
        String words = detailed.details();
        return new Granted(
                number(words, "granted="),
                number(words, "limit="),
                number(words, "remaining="),
                number(words, "life="));
    }

    private static long number(String words, String name) {
        int from = words.indexOf(name) + name.length();
        int to = words.indexOf(' ', from);
        return Long.parseLong(words, from, to < 0 ? words.length() : to, 10);
    }
}
