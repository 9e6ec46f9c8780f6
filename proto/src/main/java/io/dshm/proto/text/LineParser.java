package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The commands that are all in their line, but for those of {@link TypedParser}. */
final class LineParser {

    private static final String SECONDS = " must be seconds, such as 60 or 0.5";

    /** What is wrong with an expiration. */
    static final String EXP = "exp" + SECONDS + "; 0 is for ever";

    /** What is wrong with the name of a mode. */
    static final String MODE = "the mode is local or linearizable";

    /** What is wrong with an identity. */
    static final String BAD_IDENTITY =
            "id= and seq= are numbers and come together, done= is 1 to seq, retry=yes comes only with done=";

    /** What all writes take: the parts of an identity. The first two come together or not at all. */
    static final Set<Option> IDENTITY = EnumSet.of(Option.ID, Option.SEQ, Option.DONE, Option.RETRY);

    private static final Failure CAPACITY_TOO_LARGE =
            new Failure(ErrorCode.TOO_LARGE, "a limiter has a capacity of at most " + Limits.LIMITER_CAPACITY_MAX);
    static final String YES = "yes";
    static final String NO = "no";

    private static final byte[] DEFAULT_REGION = {};
    private static final Set<Option> READ = EnumSet.of(Option.READ);
    private static final ReadMode[] READ_MODES = ReadMode.values();

    private LineParser() {}

    /** What a write takes that has options of its own. */
    static Set<Option> identityAnd(Option... own) {
        Set<Option> options = EnumSet.copyOf(IDENTITY);
        Collections.addAll(options, own);
        return options;
    }

    static Request get(RequestLine line) {
        Rejection refusal = refusal(Verb.GET, line, 1, READ);
        if (refusal != null) {
            return refusal;
        }
        if (!line.has(Option.READ)) {
            return new Command.Get(line.key(0));
        }
        ReadMode mode = readMode(line);
        return mode == null ? Verb.GET.malformed(MODE) : new Command.Get(line.key(0), mode);
    }

    static Request setReadMode(RequestLine line) {
        for (ReadMode mode : READ_MODES) {
            if (line.arguments() == 1 && line.is(0, mode.wireName())) {
                return new Command.SetReadMode(mode);
            }
        }
        return Verb.READ_MODE.malformed();
    }

    static Request setShares(RequestLine line) {
        boolean allowed = line.arguments() == 1 && line.is(0, YES);
        boolean isRefusal = line.arguments() == 1 && line.is(0, NO);
        return allowed || isRefusal ? new Command.SetShares(allowed) : Verb.SHARES.malformed();
    }

    /** The mode that a line's option names; null if there is none of that name. */
    static @Nullable ReadMode readMode(RequestLine line) {
        for (ReadMode mode : READ_MODES) {
            if (line.is(Option.READ, mode.wireName())) {
                return mode;
            }
        }
        return null;
    }

    static Request delete(RequestLine line) {
        Rejection refusal = refusal(Verb.DELETE, line, 1, IDENTITY);
        return refusal != null ? refusal : identified(Verb.DELETE, line, new Command.Delete(line.key(0)));
    }

    static Request touch(RequestLine line) {
        Rejection refusal = refusal(Verb.TOUCH, line, 2, IDENTITY);
        if (refusal != null) {
            return refusal;
        }
        long ttlMillis = line.secondsAsMillis(1);
        return ttlMillis == Decimals.UNREADABLE
                ? Verb.TOUCH.malformed(EXP)
                : identified(Verb.TOUCH, line, new Command.Touch(line.key(0), ttlMillis));
    }

    static Request incr(RequestLine line) {
        boolean hasInitTtl = line.arguments() > 3 && !line.isOption(3);
        Rejection refusal = refusal(Verb.INCR, line, hasInitTtl ? 4 : 3, IDENTITY);
        if (refusal != null) {
            return refusal;
        }
        long initTtlMillis = hasInitTtl ? line.secondsAsMillis(3) : 0;
        if (!line.isLong(1) || !line.isLong(2)) {
            return Verb.INCR.malformed("by and init must be integers of 64 bits");
        }
        if (initTtlMillis == Decimals.UNREADABLE) {
            return Verb.INCR.malformed("init_" + EXP);
        }
        return identified(
                Verb.INCR, line, new Command.Incr(line.key(0), line.toLong(1), line.toLong(2), initTtlMillis));
    }

    static Request rateLimiter(RequestLine line) {
        Rejection refusal = refusal(Verb.RATE_LIMITER, line, 3, IDENTITY);
        if (refusal != null) {
            return refusal;
        }
        long capacity = line.count(1);
        long durationMillis = line.secondsAsMillis(2);
        if (capacity == Decimals.UNREADABLE) {
            return Verb.RATE_LIMITER.malformed("capacity must be a number of 1 to 18 digits");
        }
        if (durationMillis == Decimals.UNREADABLE) {
            return Verb.RATE_LIMITER.malformed("duration" + SECONDS);
        }
        if (capacity > Limits.LIMITER_CAPACITY_MAX) {
            return new Rejection(CAPACITY_TOO_LARGE, false);
        }
        return identified(
                Verb.RATE_LIMITER, line, new Command.RateLimiter(line.key(0), (int) capacity, durationMillis));
    }

    /** Without options the region may be left out, so that options come only after one. */
    static Request flushAll(RequestLine line) {
        if (line.arguments() == 0 || (line.arguments() == 1 && line.isEmpty(0))) {
            return new Command.FlushAll(DEFAULT_REGION);
        }
        if (!line.readOptions(1, IDENTITY)) {
            return Verb.FLUSHALL.malformed();
        }
        Failure fault = line.regionFault(Verb.FLUSHALL, 0);
        return fault != null ? refusal(fault) : identified(Verb.FLUSHALL, line, new Command.FlushAll(line.bytes(0)));
    }

    /** A command that is nothing but its verb. */
    static Request bare(Verb verb, RequestLine line, Command command) {
        return line.arguments() == 0 ? command : verb.malformed();
    }

    /**
     * Why a line is refused that must have so many arguments, the first of them a key, and may have those options; null
     * if it is not. The options are read then.
     */
    static @Nullable Rejection refusal(Verb verb, RequestLine line, int arguments, Set<Option> options) {
        if (line.arguments() < arguments || !line.readOptions(arguments, options)) {
            return verb.malformed();
        }
        Failure fault = line.keyFault(verb, 0);
        return fault == null ? null : refusal(fault);
    }

    static Rejection refusal(Failure fault) {
        return new Rejection(fault, false);
    }

    /** A write with the identity that its line's options say, if they say any. */
    static Request identified(Verb verb, RequestLine line, Command.Write write) {
        if (!hasIdentityOrNone(line)) {
            return verb.malformed(BAD_IDENTITY);
        }
        Identity identity = Identity.of(line);
        return identity == null ? write : identity.give(write);
    }

    /** Whether a line's options are a whole identity, or nothing of one. */
    static boolean hasIdentityOrNone(RequestLine line) {
        if (!line.has(Option.ID) || !line.has(Option.SEQ)) {
            return !line.has(Option.ID) && !line.has(Option.SEQ) && !line.has(Option.DONE) && !line.has(Option.RETRY);
        }
        long sequence = line.count(Option.SEQ);
        boolean hasDone = line.has(Option.DONE);
        long done = hasDone ? line.count(Option.DONE) : sequence;
        boolean hasRetry = line.has(Option.RETRY);
        return line.count(Option.ID) != Decimals.UNREADABLE
                && done > 0
                && done <= sequence
                && (!hasRetry || (hasDone && line.is(Option.RETRY, YES)));
    }

    /** The identity that a line's options say; it outlives the line, until the data has arrived. */
    record Identity(long client, long sequence, long done, boolean retry) {

        /** Of a line that {@linkplain #hasIdentityOrNone is well-formed}; null if it has none. */
        static @Nullable Identity of(RequestLine line) {
            if (!line.has(Option.ID)) {
                return null;
            }
            long done = line.has(Option.DONE) ? line.count(Option.DONE) : 0;
            return new Identity(line.count(Option.ID), line.count(Option.SEQ), done, line.has(Option.RETRY));
        }

        Command.Write give(Command.Write write) {
            return new Command.Identified(client, sequence, done, retry, write);
        }
    }
}
