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

    /** What is wrong with an identity, which must be there. */
    private static @Nullable Rejection idFault(Verb verb, RequestLine line, Option option) {
        byte[] id = line.has(option) ? line.bytes(option) : new byte[0];
        if (!Names.isName(id, 0, id.length)) {
            return verb.malformed(option.prefix() + " has 1 byte or more and no control characters");
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
