package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Request;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses the requests of limits that are about somebody who holds something of them. */
final class HolderParser {

    private static final Set<Option> ACQUIRE = LineParser.identityAnd(Option.HOLDER, Option.TTL);
    private static final Set<Option> RELEASE = LineParser.identityAnd(Option.HOLDER);

    private static final Set<Option> RESERVE =
            LineParser.identityAnd(Option.BURST, Option.HOLD, Option.TTL, Option.COST);
    private static final Set<Option> RESERVE_BY_POLICY =
            LineParser.identityAnd(Option.POLICY, Option.HOLD, Option.TTL, Option.COST);
    private static final Set<Option> SETTLE = LineParser.identityAnd(Option.COST);
    private static final Set<Option> GRANT =
            LineParser.identityAnd(Option.BURST, Option.HOLDER, Option.WANT, Option.MIN);
    private static final Set<Option> GRANT_BY_POLICY =
            LineParser.identityAnd(Option.POLICY, Option.HOLDER, Option.WANT, Option.MIN);
    private static final Set<Option> RETURN = LineParser.identityAnd(Option.HOLDER, Option.UNUSED);

    private static final Rejection ID_TOO_LONG =
            DataParser.tooLarge("an identity of a holder has at most " + Limits.HOLDER_BYTES_MAX + " bytes");

    private HolderParser() {}

    static Request acquire(RequestLine line) {
        Verb verb = Verb.ACQUIRE;
        Rejection refusal = LineParser.refusal(verb, line, 2, ACQUIRE);
        if (refusal == null) {
            refusal = idFault(verb, line, Option.HOLDER);
        }
        if (refusal == null) {
            refusal = ttlFault(verb, line);
        }
        if (refusal != null) {
            return refusal;
        }
        long limit = line.count(1);
        if (limit == Decimals.UNREADABLE) {
            return verb.malformed("limit must be a number of 1 to 18 digits");
        }
        if (limit > Limits.TOKENS_MAX) {
            return LimitParser.TOO_MANY_TOKENS;
        }
        Key holder = Key.of(line.bytes(Option.HOLDER));
        long ttlMillis = line.secondsAsMillis(Option.TTL);
        return LineParser.identified(verb, line, new Command.Acquire(line.key(0), limit, holder, ttlMillis));
    }

    static Request release(RequestLine line) {
        Rejection refusal = LineParser.refusal(Verb.RELEASE, line, 1, RELEASE);
        if (refusal == null) {
            refusal = idFault(Verb.RELEASE, line, Option.HOLDER);
        }
        return refusal != null
                ? refusal
                : LineParser.identified(
                        Verb.RELEASE, line, new Command.Release(line.key(0), Key.of(line.bytes(Option.HOLDER))));
    }

    static Request reserve(RequestLine line) {
        Verb verb = Verb.RESERVE;
        Rejection refusal = LimitParser.limitFault(verb, line, RESERVE, RESERVE_BY_POLICY);
        if (refusal == null) {
            refusal = idFault(verb, line, Option.HOLD);
        }
        if (refusal == null) {
            refusal = ttlFault(verb, line);
        }
        if (refusal == null) {
            refusal = amountFault(verb, line, Option.COST);
        }
        if (refusal != null) {
            return refusal;
        }
        Command.Take take = LimitParser.take(line, line.count(Option.COST), false, false);
        long ttlMillis = line.secondsAsMillis(Option.TTL);
        return LineParser.identified(verb, line, new Command.Reserve(take, Key.of(line.bytes(Option.HOLD)), ttlMillis));
    }

    static Request settle(RequestLine line) {
        Verb verb = Verb.SETTLE;
        Rejection refusal = LineParser.refusal(verb, line, 2, SETTLE);
        if (refusal == null) {
            refusal = idFault(verb, "ID", line.bytes(1));
        }
        if (refusal == null) {
            refusal = amountFault(verb, line, Option.COST);
        }
        return refusal != null
                ? refusal
                : LineParser.identified(
                        verb, line, new Command.Settle(line.key(0), Key.of(line.bytes(1)), line.count(Option.COST)));
    }

    static Request grant(RequestLine line) {
        Verb verb = Verb.GRANT;
        Rejection refusal = LimitParser.limitFault(verb, line, GRANT, GRANT_BY_POLICY);
        if (refusal == null) {
            refusal = idFault(verb, line, Option.HOLDER);
        }
        if (refusal == null) {
            refusal = amountFault(verb, line, Option.WANT);
        }
        if (refusal == null && line.has(Option.MIN)) {
            refusal = amountFault(verb, line, Option.MIN);
        }
        if (refusal != null) {
            return refusal;
        }
        long want = line.count(Option.WANT);
        long min = line.has(Option.MIN) ? line.count(Option.MIN) : 1;
        if (min < 1 || min > want) {
            return verb.malformed("want= is 1 or more, min= 1 to want");
        }
        Key holder = Key.of(line.bytes(Option.HOLDER));
        return LineParser.identified(
                verb, line, new Command.Grant(LimitParser.take(line, want, false, false), holder, min));
    }

    static Request giveBack(RequestLine line) {
        Verb verb = Verb.RETURN;
        Rejection refusal = LineParser.refusal(verb, line, 1, RETURN);
        if (refusal == null) {
            refusal = idFault(verb, line, Option.HOLDER);
        }
        if (refusal == null) {
            refusal = amountFault(verb, line, Option.UNUSED);
        }
        if (refusal != null) {
            return refusal;
        }
        Key holder = Key.of(line.bytes(Option.HOLDER));
        return LineParser.identified(verb, line, new Command.Return(line.key(0), holder, line.count(Option.UNUSED)));
    }

    /** What is wrong with a number of tokens, which must be there. */
    private static @Nullable Rejection amountFault(Verb verb, RequestLine line, Option option) {
        long amount = line.has(option) ? line.count(option) : Decimals.UNREADABLE;
        if (amount == Decimals.UNREADABLE) {
            return verb.malformed(option.prefix() + " must be a number of 1 to 18 digits");
        }
        return amount > Limits.TOKENS_MAX ? LimitParser.TOO_MANY_TOKENS : null;
    }

    /** What is wrong with an identity, which must be there. */
    private static @Nullable Rejection idFault(Verb verb, RequestLine line, Option option) {
        return idFault(verb, option.prefix(), line.has(option) ? line.bytes(option) : new byte[0]);
    }

    private static @Nullable Rejection idFault(Verb verb, String name, byte[] id) {
        if (!Names.isName(id, 0, id.length)) {
            return verb.malformed(name + " has 1 byte or more and no control characters");
        }
        return id.length > Limits.HOLDER_BYTES_MAX ? ID_TOO_LONG : null;
    }

    /** What is wrong with ttl=, which must be there. */
    private static @Nullable Rejection ttlFault(Verb verb, RequestLine line) {
        long ttlMillis = line.has(Option.TTL) ? line.secondsAsMillis(Option.TTL) : 0;
        if (ttlMillis <= 0) {
            return verb.malformed("ttl= must be seconds above 0, such as 60 or 0.5");
        }
        return ttlMillis > Limits.PERIOD_MILLIS_MAX ? LimitParser.PERIOD_TOO_LONG : null;
    }
}
