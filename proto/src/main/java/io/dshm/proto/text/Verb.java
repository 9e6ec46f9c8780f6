package io.dshm.proto.text;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** The verbs of the protocol, with what each takes; their names are what stands on the wire, in any case. */
enum Verb {
    GET("key [read=MODE]"),
    SET("key exp length, then the data"),
    INCR("key by init [init_exp]"),
    RATE_LIMITER("key capacity duration"),
    TOUCH("key exp"),
    DELETE("key"),
    FLUSHALL("[region]"),
    READ_MODE("local or linearizable"),
    SHARES("yes or no"),
    QUIT(""),
    FETCH("key [stale=yes] [read=MODE]", Limits.LONG_KEY_BYTES_MAX),
    STAT("key [stale=yes] [read=MODE]", Limits.LONG_KEY_BYTES_MAX),
    PUT(
            "key exp length [type=string|number|boolean|raw] [flags=N] [if=absent|present|VERSION] [full=evict|refuse], then the data",
            Limits.LONG_KEY_BYTES_MAX),
    REMOVE("key [if=present|VERSION]", Limits.LONG_KEY_BYTES_MAX),
    EXPIRE("key exp", Limits.LONG_KEY_BYTES_MAX),
    INCR_NUMBER("key by [init=N [ttl=exp]] [full=evict|refuse]", Limits.LONG_KEY_BYTES_MAX),
    TAKE(
            "key fixed|log|counter|gcra|leaky limit period [burst=N], or key policy=NAME; then [cost=N] [shadow=yes] [share=yes]",
            Limits.LONG_KEY_BYTES_MAX),
    TAKE_ALL("length, then TAKE requests of one region, a line each"),
    RESERVE(
            "key fixed|log|counter|gcra|leaky limit period [burst=N], or key policy=NAME; then hold=ID ttl=SECONDS cost=N",
            Limits.LONG_KEY_BYTES_MAX),
    SETTLE("key ID cost=N", Limits.LONG_KEY_BYTES_MAX),
    GRANT(
            "key fixed|log|counter|gcra|leaky limit period [burst=N], or key policy=NAME; then holder=ID want=N [min=N]",
            Limits.LONG_KEY_BYTES_MAX),
    RETURN("key holder=ID unused=N", Limits.LONG_KEY_BYTES_MAX),
    ACQUIRE("key limit holder=ID ttl=SECONDS", Limits.LONG_KEY_BYTES_MAX),
    RELEASE("key holder=ID", Limits.LONG_KEY_BYTES_MAX),
    LPUSH("key length [type=string|number] [full=evict|refuse], then the data", Limits.LONG_KEY_BYTES_MAX),
    RPUSH("key length [type=string|number] [full=evict|refuse], then the data", Limits.LONG_KEY_BYTES_MAX),
    LPOP("key", Limits.LONG_KEY_BYTES_MAX),
    RPOP("key", Limits.LONG_KEY_BYTES_MAX),
    KEYS("region [max=N] [after=VERSION] [read=MODE] (: is the default region)"),
    REGION("region [read=MODE] (: is the default region)"),
    FLUSH_EXPIRED("region [max=N] (: is the default region)"),
    MULTI("length [read=MODE], then the requests"),
    AUTH("user secret, both percent-encoded"),
    PING(""),
    INFO("");

    /** More than the longest name. */
    static final int NAME_BYTES_MAX = 16;

    private static final Verb[] ALL = values();

    private final int keyBytesMax;
    private final String usage;

    Verb(String takes) {
        this(takes, Limits.KEY_BYTES_MAX);
    }

    /** @param takes its arguments and options, but for those of an identity; for people */
    Verb(String takes, int keyBytesMax) {
        this.keyBytesMax = keyBytesMax;
        this.usage = takes.isEmpty() ? name() + " takes no arguments" : name() + " takes: " + takes;
    }

    /** What this verb takes, in a line for people; it begins with the verb. */
    String usage() {
        return usage;
    }

    /** The refusal of a line that has other words than its verb takes. */
    Rejection malformed() {
        return new Rejection(new Failure(ErrorCode.MALFORMED_REQUEST, usage), false);
    }

    /**
     * The refusal of a line that has the right number of words, but not the right ones.
     *
     * @param wrong what must be otherwise, a sentence without its end; nothing that a client has sent
     */
    Rejection malformed(String wrong) {
        return new Rejection(new Failure(ErrorCode.MALFORMED_REQUEST, wrong + ". " + usage), false);
    }

    /** The refusal of a line whose data has an end that is not known. */
    Rejection malformedAndCloses(String wrong) {
        return new Rejection(malformed(wrong + "; the connection is closed").failure(), true);
    }

    /** Bytes of a key for this verb. */
    int keyBytesMax() {
        return keyBytesMax;
    }

    /** Bytes of the longest line of the verb that a buffer begins with, whatever follows it there. */
    static int lineBytesMax(ByteBuf in) {
        byte[] start = new byte[Math.min(NAME_BYTES_MAX + 1, in.readableBytes())];
        in.getBytes(in.readerIndex(), start);
        int end = 0;
        while (end < start.length && start[end] != ' ') {
            end++;
        }
        Verb verb = at(start, 0, end);
        boolean takesLongKeys = verb != null && verb.keyBytesMax > Limits.KEY_BYTES_MAX;
        return takesLongKeys ? Limits.LONG_LINE_BYTES_MAX : Limits.LINE_BYTES_MAX;
    }

    /** The verb in {@code bytes[from, to)}, or null if that is none. */
    static @Nullable Verb at(byte[] bytes, int from, int to) {
        for (Verb verb : ALL) {
            if (verb.matches(bytes, from, to)) {
                return verb;
            }
        }
        return null;
    }

    private boolean matches(byte[] bytes, int from, int to) {
        String name = name();
        if (name.length() != to - from) {
            return false;
        }
        for (int at = from; at < to; at++) {
            if (upperCase(bytes[at]) != name.charAt(at - from)) {
                return false;
            }
        }
        return true;
    }

    private static int upperCase(byte character) {
        return character >= 'a' && character <= 'z' ? character - ('a' - 'A') : character;
    }
}
