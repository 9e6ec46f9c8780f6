package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses the commands of typed entries that have no data after their line. */
final class TypedParser {

    private static final String ABSENT = "absent";
    private static final String PRESENT = "present";
    private static final String YES = "yes";
    private static final String EVICT = "evict";
    private static final String REFUSE = "refuse";

    static final String BAD_FULL = "full= must be evict or refuse";

    /** Stands for the default region where a region must be named: no region has a colon in its name. */
    private static final String DEFAULT_REGION = ":";

    private static final Set<Option> READ = EnumSet.of(Option.READ);
    private static final Set<Option> FETCH = EnumSet.of(Option.READ, Option.STALE);
    private static final Set<Option> REMOVE = LineParser.identityAnd(Option.IF);
    private static final Set<Option> INCR_NUMBER = LineParser.identityAnd(Option.INIT, Option.TTL, Option.FULL);
    private static final Set<Option> KEYS = EnumSet.of(Option.MAX, Option.AFTER, Option.READ);
    private static final Set<Option> FLUSH_EXPIRED = EnumSet.of(Option.MAX);

    private TypedParser() {}

    static Request fetch(Verb verb, RequestLine line) {
        Rejection refusal = LineParser.refusal(verb, line, 1, FETCH);
        if (refusal != null) {
            return refusal;
        }
        boolean stale = line.has(Option.STALE);
        ReadMode mode = line.has(Option.READ) ? LineParser.readMode(line) : null;
        if (stale && !line.is(Option.STALE, YES)) {
            return verb.malformed();
        }
        if (mode == null && line.has(Option.READ)) {
            return verb.malformed(LineParser.MODE);
        }
        return verb == Verb.FETCH
                ? new Command.Fetch(line.key(0), stale, mode)
                : new Command.Stat(line.key(0), stale, mode);
    }

    static Request remove(RequestLine line) {
        Rejection refusal = LineParser.refusal(Verb.REMOVE, line, 1, REMOVE);
        if (refusal != null) {
            return refusal;
        }
        Condition condition = condition(line);
        return condition == null || condition.equals(Condition.ABSENT)
                ? Verb.REMOVE.malformed("if= must be present or a version")
                : LineParser.identified(Verb.REMOVE, line, new Command.Remove(line.key(0), condition));
    }

    /** What a line's option makes a condition; null if it is none. */
    static @Nullable Condition condition(RequestLine line) {
        if (!line.has(Option.IF)) {
            return Condition.ANY;
        }
        if (line.is(Option.IF, ABSENT)) {
            return Condition.ABSENT;
        }
        if (line.is(Option.IF, PRESENT)) {
            return Condition.PRESENT;
        }
        long version = line.count(Option.IF);
        return version > 0 ? Condition.version(version) : null;
    }

    /** The word for a condition that is one. */
    static String nameOf(Condition condition) {
        return switch (condition.kind()) {
            case ABSENT -> ABSENT;
            case PRESENT -> PRESENT;
            case VERSION -> Long.toString(condition.version());
            case ANY -> throw new IllegalArgumentException("no condition");
        };
    }

    /** What a line's option says for the case that there is no room; null if that is none. */
    static Command.@Nullable Full full(RequestLine line) {
        if (!line.has(Option.FULL)) {
            return Command.Full.AS_REGION;
        }
        if (line.is(Option.FULL, EVICT)) {
            return Command.Full.EVICT;
        }
        return line.is(Option.FULL, REFUSE) ? Command.Full.REFUSE : null;
    }

    /** The word for it; null where it is left out. */
    static @Nullable String nameOf(Command.Full full) {
        return switch (full) {
            case AS_REGION -> null;
            case EVICT -> EVICT;
            case REFUSE -> REFUSE;
        };
    }

    static Request expire(RequestLine line) {
        Rejection refusal = LineParser.refusal(Verb.EXPIRE, line, 2, LineParser.IDENTITY);
        if (refusal != null) {
            return refusal;
        }
        long ttlMillis = line.secondsAsMillis(1);
        return ttlMillis == Decimals.UNREADABLE
                ? Verb.EXPIRE.malformed(LineParser.EXP)
                : LineParser.identified(Verb.EXPIRE, line, new Command.Expire(line.key(0), ttlMillis));
    }

    static Request incrNumber(RequestLine line) {
        Rejection refusal = LineParser.refusal(Verb.INCR_NUMBER, line, 2, INCR_NUMBER);
        if (refusal != null) {
            return refusal;
        }
        boolean hasInit = line.has(Option.INIT);
        boolean hasTtl = line.has(Option.TTL);
        long ttlMillis = hasTtl ? line.secondsAsMillis(Option.TTL) : 0;
        if (!line.isNumber(1) || (hasInit && !line.isNumber(Option.INIT))) {
            return Verb.INCR_NUMBER.malformed("by and init= must be numbers");
        }
        if (hasTtl && !hasInit) {
            return Verb.INCR_NUMBER.malformed("ttl= comes only with init=");
        }
        if (ttlMillis == Decimals.UNREADABLE) {
            return Verb.INCR_NUMBER.malformed(LineParser.EXP);
        }
        Command.Full full = full(line);
        if (full == null) {
            return Verb.INCR_NUMBER.malformed(BAD_FULL);
        }
        Double init = hasInit ? line.toNumber(Option.INIT) : null;
        return LineParser.identified(
                Verb.INCR_NUMBER, line, new Command.IncrNumber(line.key(0), line.toNumber(1), init, ttlMillis, full));
    }

    static Request pop(Verb verb, RequestLine line) {
        Rejection refusal = LineParser.refusal(verb, line, 1, LineParser.IDENTITY);
        if (refusal != null) {
            return refusal;
        }
        Command.End end = verb == Verb.LPOP ? Command.End.LEFT : Command.End.RIGHT;
        return LineParser.identified(verb, line, new Command.Pop(line.key(0), end));
    }

    static Request keys(RequestLine line) {
        Rejection refusal = regionRefusal(Verb.KEYS, line, KEYS);
        if (refusal != null) {
            return refusal;
        }
        long max = line.has(Option.MAX) ? line.count(Option.MAX) : Limits.KEYS_DEFAULT;
        long after = line.has(Option.AFTER) ? line.count(Option.AFTER) : 0;
        ReadMode mode = line.has(Option.READ) ? LineParser.readMode(line) : null;
        if (max <= 0 || after == Decimals.UNREADABLE) {
            return Verb.KEYS.malformed("max= must be 1 or more, after= a version");
        }
        if (mode == null && line.has(Option.READ)) {
            return Verb.KEYS.malformed(LineParser.MODE);
        }
        return new Command.Keys(region(line), (int) Math.min(max, Limits.KEYS_MAX), after, mode);
    }

    static Request regionInfo(RequestLine line) {
        Rejection refusal = regionRefusal(Verb.REGION, line, READ);
        if (refusal != null) {
            return refusal;
        }
        ReadMode mode = line.has(Option.READ) ? LineParser.readMode(line) : null;
        return mode == null && line.has(Option.READ)
                ? Verb.REGION.malformed(LineParser.MODE)
                : new Command.RegionInfo(region(line), mode);
    }

    static Request flushExpired(RequestLine line) {
        Rejection refusal = regionRefusal(Verb.FLUSH_EXPIRED, line, FLUSH_EXPIRED);
        if (refusal != null) {
            return refusal;
        }
        long max = line.has(Option.MAX) ? line.count(Option.MAX) : 0;
        return max == Decimals.UNREADABLE
                ? Verb.FLUSH_EXPIRED.malformed("max= must be a number of 1 to 18 digits")
                : new Command.FlushExpired(region(line), max);
    }

    private static @Nullable Rejection regionRefusal(Verb verb, RequestLine line, Set<Option> options) {
        if (line.arguments() < 1 || !line.readOptions(1, options)) {
            return verb.malformed();
        }
        Failure fault = line.is(0, DEFAULT_REGION) ? null : line.regionFault(verb, 0);
        return fault == null ? null : LineParser.refusal(fault);
    }

    private static byte[] region(RequestLine line) {
        return line.is(0, DEFAULT_REGION) ? new byte[0] : line.bytes(0);
    }

    /** How a region is named where it must be. */
    static byte[] nameOf(byte[] region) {
        return region.length > 0 ? region : new byte[] {':'};
    }
}
