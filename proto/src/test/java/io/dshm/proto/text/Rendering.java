package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Rejection;
import io.dshm.proto.Request;

/** Requests as the conversations have them, one readable line each. Equal lines are equal requests. */
final class Rendering {

    private Rendering() {}

    static String of(Request request) {
        if (request instanceof Rejection rejection) {
            return "REJECTED " + rejection.failure().code().wireName() + (rejection.closes() ? " and closes" : "");
        } else if (request instanceof Command.Get get) {
            return "GET key=" + quoted(get.key().bytes())
                    + (get.mode() == null ? "" : " read=" + get.mode().wireName());
        } else if (request instanceof Command.SetReadMode readMode) {
            return "READ_MODE " + readMode.mode().wireName();
        } else if (request instanceof Command.Set set) {
            return "SET key=" + quoted(set.key().bytes()) + " ttl=" + set.ttlMillis() + " value=" + quoted(set.value());
        } else if (request instanceof Command.Touch touch) {
            return "TOUCH key=" + quoted(touch.key().bytes()) + " ttl=" + touch.ttlMillis();
        } else if (request instanceof Command.Delete delete) {
            return "DELETE key=" + quoted(delete.key().bytes());
        } else if (request instanceof Command.Incr incr) {
            return "INCR key=" + quoted(incr.key().bytes()) + " by=" + incr.by() + " init=" + incr.init() + " ttl="
                    + incr.initTtlMillis();
        } else if (request instanceof Command.RateLimiter limiter) {
            return "RATE_LIMITER key=" + quoted(limiter.key().bytes()) + " capacity=" + limiter.capacity()
                    + " duration=" + limiter.durationMillis();
        } else if (request instanceof Command.FlushAll flushAll) {
            return "FLUSHALL region=" + quoted(flushAll.region());
        } else {
            return "QUIT";
        }
    }

    private static String quoted(byte[] bytes) {
        return '"' + Notation.text(bytes) + '"';
    }
}
