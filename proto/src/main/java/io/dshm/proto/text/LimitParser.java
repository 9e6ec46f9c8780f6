package io.dshm.proto.text;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses TAKE. */
final class LimitParser {

    /** Arguments of a TAKE with numbers of its own: key, algorithm, limit, period. */
    private static final int NUMBERS = 4;

    private static final Set<Option> TAKE =
            LineParser.identityAnd(Option.BURST, Option.COST, Option.SHADOW, Option.SHARE);
    private static final Set<Option> TAKE_BY_POLICY =
            LineParser.identityAnd(Option.POLICY, Option.COST, Option.SHADOW, Option.SHARE);

    static final Rejection TOO_MANY_TOKENS = tooLarge("limit, burst= and cost= are at most " + Limits.TOKENS_MAX);
    static final Rejection PERIOD_TOO_LONG =
            tooLarge("a period has at most " + Limits.PERIOD_MILLIS_MAX / 1000 + " seconds");
    private static final Rejection NAME_TOO_LONG =
            tooLarge("the name of a policy has at most " + Limits.POLICY_NAME_BYTES_MAX + " bytes");

    private LimitParser() {}

    private static Rejection tooLarge(String text) {
        return new Rejection(new Failure(ErrorCode.TOO_LARGE, text), false);
    }

    static Request take(RequestLine line) {
        Rejection refusal = limitFault(Verb.TAKE, line, TAKE, TAKE_BY_POLICY);
        if (refusal == null) {
            refusal = costFault(line);
        }
        if (refusal != null) {
            return refusal;
        }
        long cost = line.has(Option.COST) ? line.toLong(Option.COST) : 1;
        boolean shadow = line.has(Option.SHADOW);
        boolean share = line.has(Option.SHARE);
        return LineParser.identified(Verb.TAKE, line, take(line, cost, shadow, share));
    }

    /**
     * What is wrong with a line of which a key and a limit are the arguments; null if nothing is. The options are read
     * then.
     *
     * @param options where the limit's numbers are arguments
     * @param optionsByPolicy where a policy says them
     */
    static @Nullable Rejection limitFault(
            Verb verb, RequestLine line, Set<Option> options, Set<Option> optionsByPolicy) {
        boolean byPolicy = isByPolicy(line);
        Rejection refusal =
                LineParser.refusal(verb, line, byPolicy ? 1 : NUMBERS, byPolicy ? optionsByPolicy : options);
        if (refusal != null) {
            return refusal;
        }
        return byPolicy ? policyFault(verb, line) : numbersFault(verb, line);
    }

    /** A word with '=' where the algorithm would stand: a policy. */
    private static boolean isByPolicy(RequestLine line) {
        return line.arguments() > 1 && line.isOption(1);
    }

    /** The take in a line in which there is no {@link #limitFault}. */
    static Command.Take take(RequestLine line, long cost, boolean shadow, boolean share) {
        return isByPolicy(line)
                ? new Command.Take(line.key(0), null, policyKey(line.bytes(Option.POLICY)), cost, shadow, share)
                : new Command.Take(line.key(0), policy(line), null, cost, shadow, share);
    }

    /** What is wrong with the words behind the key that say a limit; null if nothing is. */
    private static @Nullable Rejection numbersFault(Verb verb, RequestLine line) {
        Algorithm algorithm = algorithm(line);
        long limit = line.count(2);
        long periodMillis = line.secondsAsMillis(3);
        boolean hasBurst = line.has(Option.BURST);
        long burst = hasBurst ? line.count(Option.BURST) : 0;
        if (algorithm == null) {
            return verb.malformed("there is no such algorithm");
        }
        if (limit == Decimals.UNREADABLE || burst == Decimals.UNREADABLE) {
            return verb.malformed("limit and burst= must be numbers of 1 to 18 digits");
        }
        if (periodMillis <= 0) {
            return verb.malformed("period must be seconds, such as 60 or 0.5");
        }
        if (hasBurst && !algorithm.hasBurst()) {
            return verb.malformed("burst= is for gcra and leaky");
        }
        if (limit > Limits.TOKENS_MAX || burst > Limits.TOKENS_MAX) {
            return TOO_MANY_TOKENS;
        }
        return periodMillis > Limits.PERIOD_MILLIS_MAX ? PERIOD_TOO_LONG : null;
    }

    /** The limit in words in which there is no {@link #numbersFault}. */
    private static Policy policy(RequestLine line) {
        Algorithm algorithm = algorithm(line);
        if (algorithm == null) {
            throw new IllegalStateException("no algorithm");
        }
        long limit = line.count(2);
        long periodMillis = line.secondsAsMillis(3);
        return line.has(Option.BURST)
                ? new Policy(algorithm, limit, periodMillis, line.count(Option.BURST))
                : new Policy(algorithm, limit, periodMillis);
    }

    private static @Nullable Algorithm algorithm(RequestLine line) {
        for (Algorithm algorithm : Policies.ALGORITHMS) {
            if (line.is(1, algorithm.wireName())) {
                return algorithm;
            }
        }
        return null;
    }

    private static @Nullable Rejection policyFault(Verb verb, RequestLine line) {
        if (!line.has(Option.POLICY)) {
            return verb.malformed();
        }
        int length = line.bytes(Option.POLICY).length;
        if (length == 0) {
            return verb.malformed("policy= is a name");
        }
        return length > Limits.POLICY_NAME_BYTES_MAX ? NAME_TOO_LONG : null;
    }

    private static @Nullable Rejection costFault(RequestLine line) {
        if (line.has(Option.SHARE) && !line.is(Option.SHARE, LineParser.YES)) {
            return Verb.TAKE.malformed("share= is yes");
        }
        if (line.has(Option.SHADOW) && !line.is(Option.SHADOW, LineParser.YES)) {
            return Verb.TAKE.malformed("shadow= is yes");
        }
        if (!line.has(Option.COST)) {
            return null;
        }
        if (!line.isLong(Option.COST)) {
            return Verb.TAKE.malformed("cost= must be an integer");
        }
        long cost = line.toLong(Option.COST);
        return cost > Limits.TOKENS_MAX || cost < -Limits.TOKENS_MAX ? TOO_MANY_TOKENS : null;
    }

    /** The key of the policy of that name. */
    private static Key policyKey(byte[] name) {
        byte[] key = new byte[Policies.PREFIX.length + name.length];
        System.arraycopy(Policies.PREFIX, 0, key, 0, Policies.PREFIX.length);
        System.arraycopy(name, 0, key, Policies.PREFIX.length, name.length);
        return Key.of(key);
    }
}
