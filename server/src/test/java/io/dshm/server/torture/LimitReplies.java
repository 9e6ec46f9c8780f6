package io.dshm.server.torture;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.server.history.Action;
import io.dshm.server.history.Result;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Requests that concern limits, and what a history has of their replies. */
final class LimitReplies {

    private static final String LINE_END = "\r\n";

    private LimitReplies() {}

    static Command command(Action.OfLimit action) {
        Key key = Key.of(action.key());
        if (action instanceof Action.Take take) {
            return take(take);
        } else if (action instanceof Action.TakeAll all) {
            List<Command.Take> takes =
                    all.takes().stream().map(LimitReplies::take).toList();
            return new Command.TakeAll(takes, 0);
        } else if (action instanceof Action.Reserve reserve) {
            return new Command.Reserve(take(reserve.take()), Key.of(reserve.hold()), reserve.ttlMillis());
        } else if (action instanceof Action.Settle settle) {
            return new Command.Settle(key, Key.of(settle.hold()), settle.cost());
        } else if (action instanceof Action.Grant grant) {
            return new Command.Grant(take(grant.take()), Key.of(grant.holder()), grant.min());
        } else if (action instanceof Action.Return giveBack) {
            return new Command.Return(key, Key.of(giveBack.holder()), giveBack.unused());
        } else if (action instanceof Action.Acquire acquire) {
            return new Command.Acquire(key, acquire.limit(), Key.of(acquire.holder()), acquire.ttlMillis());
        } else if (action instanceof Action.Release release) {
            return new Command.Release(key, Key.of(release.holder()));
        }
        Action.RateLimiter limiter = (Action.RateLimiter) action;
        return new Command.RateLimiter(key, limiter.capacity(), limiter.durationMillis());
    }

    private static Command.Take take(Action.Take take) {
        Policy policy = new Policy(take.algorithm(), take.limit(), take.periodMillis(), take.burst());
        return new Command.Take(Key.of(take.key()), policy, null, take.cost(), false, take.share());
    }

    /** The words of a reply that {@code TakeChecker} knows; of takes all or none the whole reply. */
    static String words(Action action, Reply.Detailed told) {
        byte @Nullable [] value = told.value();
        if (value != null) {
            return told.details() + LINE_END + new String(value, StandardCharsets.ISO_8859_1);
        } else if (action instanceof Action.Acquire) {
            return Objects.requireNonNullElse(told.detail("fence"), "-1");
        } else if (action instanceof Action.Grant) {
            return detail(told, "granted");
        }
        return decision(told);
    }

    private static String decision(Reply.Detailed told) {
        return detail(told, "allowed") + " " + detail(told, "remaining") + " " + detail(told, "reset");
    }

    private static String detail(Reply.Detailed told, String name) {
        return Objects.requireNonNull(told.detail(name), () -> "no " + name + " in " + told);
    }

    /** What the reply to takes all or none says of one of them, which are counted from 0. */
    static Result ofOne(String reply, int number) {
        String[] lines = reply.split(LINE_END, -1);
        Reply.Detailed whole = new Reply.Detailed(null, lines[0]);
        String refused = Objects.requireNonNullElse(whole.detail("refused"), "");
        boolean isRefusing = Arrays.asList(refused.split(",", -1)).contains(Integer.toString(number + 1));
        if (!isRefusing && !detail(whole, "allowed").equals("1")) {
            return new Result.NotApplied("others refuse");
        }
        return new Result.Value(decision(new Reply.Detailed(null, lines[1 + number])));
    }
}
