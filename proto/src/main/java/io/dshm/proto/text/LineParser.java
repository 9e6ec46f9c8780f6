package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import org.jspecify.annotations.Nullable;

/** The commands that are all in their line, which is to say all but SET. The first fault from the left is what is told. */
final class LineParser {

    static final Rejection MALFORMED = new Rejection(Failure.MALFORMED_REQUEST, false);

    private static final Failure CAPACITY_TOO_LARGE =
            new Failure(ErrorCode.TOO_LARGE, "a limiter has a capacity of at most " + Limits.LIMITER_CAPACITY_MAX);
    private static final byte[] DEFAULT_REGION = {};

    /** GET's option; what follows is the name of a mode. */
    static final String READ_OPTION = "read=";

    private static final ReadMode[] READ_MODES = ReadMode.values();

    private LineParser() {}

    static Request get(RequestLine line) {
        boolean hasMode = line.arguments() == 2;
        Rejection refusal = keyRefusal(line, hasMode ? 2 : 1);
        if (refusal != null) {
            return refusal;
        }
        if (!hasMode) {
            return new Command.Get(line.key(0));
        }
        ReadMode mode = readMode(line, 1, READ_OPTION);
        return mode == null ? MALFORMED : new Command.Get(line.key(0), mode);
    }

    static Request readMode(RequestLine line) {
        ReadMode mode = line.arguments() == 1 ? readMode(line, 0, "") : null;
        return mode == null ? MALFORMED : new Command.SetReadMode(mode);
    }

    /** The mode whose name is, after a prefix, the argument; null if there is none. */
    private static @Nullable ReadMode readMode(RequestLine line, int argument, String prefix) {
        for (ReadMode mode : READ_MODES) {
            if (line.is(argument, prefix, mode.wireName())) {
                return mode;
            }
        }
        return null;
    }

    static Request delete(RequestLine line) {
        Rejection refusal = keyRefusal(line, 1);
        return refusal != null ? refusal : new Command.Delete(line.key(0));
    }

    static Request touch(RequestLine line) {
        Rejection refusal = keyRefusal(line, 2);
        if (refusal != null) {
            return refusal;
        }
        long ttlMillis = line.secondsAsMillis(1);
        return ttlMillis == Decimals.UNREADABLE ? MALFORMED : new Command.Touch(line.key(0), ttlMillis);
    }

    static Request incr(RequestLine line) {
        boolean hasInitTtl = line.arguments() == 4;
        Rejection refusal = keyRefusal(line, hasInitTtl ? 4 : 3);
        if (refusal != null) {
            return refusal;
        }
        long initTtlMillis = hasInitTtl ? line.secondsAsMillis(3) : 0;
        if (!line.isLong(1) || !line.isLong(2) || initTtlMillis == Decimals.UNREADABLE) {
            return MALFORMED;
        }
        return new Command.Incr(line.key(0), line.toLong(1), line.toLong(2), initTtlMillis);
    }

    static Request rateLimiter(RequestLine line) {
        Rejection refusal = keyRefusal(line, 3);
        if (refusal != null) {
            return refusal;
        }
        long capacity = line.count(1);
        long durationMillis = line.secondsAsMillis(2);
        if (capacity == Decimals.UNREADABLE || durationMillis == Decimals.UNREADABLE) {
            return MALFORMED;
        }
        if (capacity > Limits.LIMITER_CAPACITY_MAX) {
            return new Rejection(CAPACITY_TOO_LARGE, false);
        }
        return new Command.RateLimiter(line.key(0), (int) capacity, durationMillis);
    }

    static Request flushAll(RequestLine line) {
        if (line.arguments() == 0 || (line.arguments() == 1 && line.isEmpty(0))) {
            return new Command.FlushAll(DEFAULT_REGION);
        }
        if (line.arguments() > 1) {
            return MALFORMED;
        }
        Failure fault = line.regionFault(0);
        return fault != null ? refusal(fault) : new Command.FlushAll(line.bytes(0));
    }

    static Request quit(RequestLine line) {
        return line.arguments() == 0 ? Command.Quit.QUIT : MALFORMED;
    }

    /** Why a line that must have so many arguments, the first of them a key, is refused; null if it is not. */
    private static @Nullable Rejection keyRefusal(RequestLine line, int arguments) {
        if (line.arguments() != arguments) {
            return MALFORMED;
        }
        Failure fault = line.keyFault(0);
        return fault == null ? null : refusal(fault);
    }

    private static Rejection refusal(Failure fault) {
        return new Rejection(fault, false);
    }
}
