package io.dshm.server.replication.writes;

import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.server.statemachine.Outcome;

/** Why a command cannot work on the entry that it found. */
final class WrongKind implements CommandVisitor.OfWrite<Outcome, String> {

    private static final String OTHER = "the key holds an entry of another kind";
    private static final String NO_PERMITS = "the key holds no permits";
    private static final String NO_LIMITER = "the key holds no limiter of TAKE";

    @Override
    public String set(Command.Set write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String touch(Command.Touch write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String delete(Command.Delete write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String incr(Command.Incr write, Outcome outcome) {
        return "INCR takes the key of a value; this one holds a rate limiter or a list";
    }

    @Override
    public String rateLimiter(Command.RateLimiter write, Outcome outcome) {
        return "RATE_LIMITER takes a key of its own; this one holds a value or a list";
    }

    @Override
    public String put(Command.Put write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String remove(Command.Remove write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String expire(Command.Expire write, Outcome outcome) {
        return "EXPIRE takes no rate limiter; its key expires when its longest window is empty";
    }

    @Override
    public String incrNumber(Command.IncrNumber write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String push(Command.Push write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String pop(Command.Pop write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String take(Command.Take write, Outcome outcome) {
        return write.policyKey() == null
                ? "the key holds no limiter of this algorithm"
                : "the policy is not algorithm limit period [burst=N], or the key holds no limiter of its algorithm";
    }

    @Override
    public String takeAll(Command.TakeAll write, Outcome outcome) {
        return "a key holds no limiter of its algorithm, or a policy is not algorithm limit period [burst=N]";
    }

    @Override
    public String acquire(Command.Acquire write, Outcome outcome) {
        return NO_PERMITS;
    }

    @Override
    public String release(Command.Release write, Outcome outcome) {
        return NO_PERMITS;
    }

    @Override
    public String reserve(Command.Reserve write, Outcome outcome) {
        return take(write.take(), outcome);
    }

    @Override
    public String settle(Command.Settle write, Outcome outcome) {
        return NO_LIMITER;
    }

    @Override
    public String grant(Command.Grant write, Outcome outcome) {
        return take(write.take(), outcome);
    }

    @Override
    public String giveBack(Command.Return write, Outcome outcome) {
        return NO_LIMITER;
    }

    @Override
    public String flushAll(Command.FlushAll write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String multi(Command.Multi write, Outcome outcome) {
        return OTHER;
    }

    @Override
    public String identified(Command.Identified write, Outcome outcome) {
        return write.write().accept(outcome, this);
    }
}
