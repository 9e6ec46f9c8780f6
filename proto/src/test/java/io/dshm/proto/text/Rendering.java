package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.Policy;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Request;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Requests as the conversations have them, one readable line each. Equal lines are equal requests. */
final class Rendering {

    private Rendering() {}

    static String of(Request request) {
        if (request instanceof Rejection rejection) {
            return "REJECTED " + rejection.failure().code().wireName() + (rejection.closes() ? " and closes" : "");
        } else if (request instanceof Command.Read read) {
            return ofRead(read) + (read instanceof Command.MultiRead ? "" : of(read.mode()));
        } else if (request instanceof Command.Write write) {
            return ofWrite(write);
        } else if (request instanceof Command.FlushExpired flush) {
            return "FLUSH_EXPIRED region=" + quoted(flush.region()) + " max=" + flush.max();
        } else if (request instanceof Command.SetReadMode readMode) {
            return "READ_MODE " + readMode.mode().wireName();
        } else if (request instanceof Command.SetShares shares) {
            return "SHARES " + (shares.allowed() ? "yes" : "no");
        } else if (request instanceof Command.Auth auth) {
            return "AUTH " + quoted(auth.user()) + " " + quoted(auth.secret());
        } else {
            return request.toString();
        }
    }

    private static String ofRead(Command.Read read) {
        if (read instanceof Command.Get get) {
            return "GET key=" + quoted(get.key().bytes());
        } else if (read instanceof Command.Fetch fetch) {
            return "FETCH key=" + quoted(fetch.key().bytes()) + (fetch.stale() ? " stale=yes" : "");
        } else if (read instanceof Command.Stat stat) {
            return "STAT key=" + quoted(stat.key().bytes()) + (stat.stale() ? " stale=yes" : "");
        } else if (read instanceof Command.Keys keys) {
            return "KEYS region=" + quoted(keys.region()) + " max=" + keys.max() + " after=" + keys.after();
        } else if (read instanceof Command.RegionInfo info) {
            return "REGION region=" + quoted(info.region());
        } else if (read instanceof Command.MultiRead multi) {
            // The mode stands before the requests, so that it is not taken for one of theirs.
            return "MULTI" + of(multi.mode()) + inBrackets(multi.reads());
        }
        throw new IllegalArgumentException(read.toString());
    }

    private static String of(@Nullable ReadMode mode) {
        return mode == null ? "" : " read=" + mode.wireName();
    }

    private static String inBrackets(List<? extends Command> commands) {
        return commands.stream().map(command -> " [" + of(command) + "]").collect(Collectors.joining());
    }

    private static String ofWrite(Command.Write write) {
        if (write instanceof Command.Identified identified) {
            return of(identified.write()) + " id=" + identified.client() + " seq=" + identified.sequence()
                    + (identified.done() == 0 ? "" : " done=" + identified.done())
                    + (identified.retry() ? " retry=yes" : "");
        } else if (write instanceof Command.Multi multi) {
            return "MULTI" + inBrackets(multi.writes());
        } else if (write instanceof Command.TakeAll all) {
            return "TAKE_ALL" + inBrackets(all.takes());
        } else if (write instanceof Command.FlushAll flushAll) {
            return "FLUSHALL region=" + quoted(flushAll.region());
        } else if (write instanceof Command.Set set) {
            return "SET key=" + quoted(set.key().bytes()) + " ttl=" + set.ttlMillis() + " value=" + quoted(set.value());
        } else if (write instanceof Command.Touch touch) {
            return "TOUCH key=" + quoted(touch.key().bytes()) + " ttl=" + touch.ttlMillis();
        } else if (write instanceof Command.Delete delete) {
            return "DELETE key=" + quoted(delete.key().bytes());
        } else if (write instanceof Command.Incr incr) {
            return "INCR key=" + quoted(incr.key().bytes()) + " by=" + incr.by() + " init=" + incr.init() + " ttl="
                    + incr.initTtlMillis();
        } else if (write instanceof Command.RateLimiter limiter) {
            return "RATE_LIMITER key=" + quoted(limiter.key().bytes()) + " capacity=" + limiter.capacity()
                    + " duration=" + limiter.durationMillis();
        } else if (write instanceof Command.Take take) {
            return "TAKE key=" + quoted(take.key().bytes()) + limitOf(take) + " cost=" + take.cost()
                    + (take.shadow() ? " shadow=yes" : "") + (take.share() ? " share=yes" : "");
        } else if (write instanceof Command.Reserve reserve) {
            return "RESERVE key=" + quoted(reserve.key().bytes()) + limitOf(reserve.take()) + " hold="
                    + quoted(reserve.hold().bytes()) + " ttl=" + reserve.ttlMillis() + " cost="
                    + reserve.take().cost();
        } else if (write instanceof Command.Settle settle) {
            return "SETTLE key=" + quoted(settle.key().bytes()) + " hold="
                    + quoted(settle.hold().bytes()) + " cost=" + settle.cost();
        } else if (write instanceof Command.Grant grant) {
            return "GRANT key=" + quoted(grant.key().bytes()) + limitOf(grant.take()) + " holder="
                    + quoted(grant.holder().bytes()) + " want=" + grant.take().cost() + " min=" + grant.min();
        } else if (write instanceof Command.Return giveBack) {
            return "RETURN key=" + quoted(giveBack.key().bytes()) + " holder="
                    + quoted(giveBack.holder().bytes()) + " unused=" + giveBack.unused();
        } else if (write instanceof Command.Acquire acquire) {
            return "ACQUIRE key=" + quoted(acquire.key().bytes()) + " limit=" + acquire.limit() + " holder="
                    + quoted(acquire.holder().bytes()) + " ttl=" + acquire.ttlMillis();
        } else if (write instanceof Command.Release release) {
            return "RELEASE key=" + quoted(release.key().bytes()) + " holder="
                    + quoted(release.holder().bytes());
        } else if (write instanceof Command.Put put) {
            return "PUT key=" + quoted(put.key().bytes()) + " ttl=" + put.ttlMillis() + " type="
                    + put.type().wireName() + " flags=" + Integer.toUnsignedString(put.flags()) + of(put.condition())
                    + of(put.full()) + " value=" + quoted(put.value());
        } else if (write instanceof Command.Remove remove) {
            return "REMOVE key=" + quoted(remove.key().bytes()) + of(remove.condition());
        } else if (write instanceof Command.Expire expire) {
            return "EXPIRE key=" + quoted(expire.key().bytes()) + " ttl=" + expire.ttlMillis();
        } else if (write instanceof Command.IncrNumber incr) {
            Double init = incr.init();
            return "INCR_NUMBER key=" + quoted(incr.key().bytes()) + " by=" + Doubles.format(incr.by())
                    + (init == null ? "" : " init=" + Doubles.format(init) + " ttl=" + incr.initTtlMillis())
                    + of(incr.full());
        } else if (write instanceof Command.Push push) {
            return push.end().name().charAt(0) + "PUSH key=" + quoted(push.key().bytes()) + " type="
                    + push.type().wireName() + of(push.full()) + " value=" + quoted(push.element());
        } else if (write instanceof Command.Pop pop) {
            return pop.end().name().charAt(0) + "POP key=" + quoted(pop.key().bytes());
        }
        throw new IllegalArgumentException(write.toString());
    }

    private static String of(Command.Full full) {
        return full == Command.Full.AS_REGION ? "" : " full=" + full.name().toLowerCase(Locale.ROOT);
    }

    private static String limitOf(Command.Take take) {
        Policy policy = take.policy();
        if (policy == null) {
            return " policy=" + quoted(Objects.requireNonNull(take.policyKey()).bytes());
        }
        return " " + policy.algorithm().wireName() + " limit=" + policy.limit() + " period=" + policy.periodMillis()
                + (policy.algorithm().hasBurst() ? " burst=" + policy.burst() : "");
    }

    private static String of(Condition condition) {
        return condition.kind() == Condition.Kind.ANY ? "" : " if=" + TypedParser.nameOf(condition);
    }

    private static String quoted(byte[] bytes) {
        return '"' + Notation.text(bytes) + '"';
    }
}
