package io.dshm.proto;

/**
 * What is to be done for each kind of command, one method a kind: who adds a kind is told by the compiler where a case
 * is missing. Implementations have no state and are shared; what they work with comes as the argument.
 */
public final class CommandVisitor {

    private CommandVisitor() {}

    /** For reads. */
    public interface OfRead<A, R> {
        R get(Command.Get read, A argument);

        R fetch(Command.Fetch read, A argument);

        R stat(Command.Stat read, A argument);

        R keys(Command.Keys read, A argument);

        R regionInfo(Command.RegionInfo read, A argument);

        R multiRead(Command.MultiRead read, A argument);
    }

    /** For writes. */
    public interface OfWrite<A, R> {
        R set(Command.Set write, A argument);

        R touch(Command.Touch write, A argument);

        R delete(Command.Delete write, A argument);

        R incr(Command.Incr write, A argument);

        R rateLimiter(Command.RateLimiter write, A argument);

        R put(Command.Put write, A argument);

        R remove(Command.Remove write, A argument);

        R expire(Command.Expire write, A argument);

        R incrNumber(Command.IncrNumber write, A argument);

        R push(Command.Push write, A argument);

        R pop(Command.Pop write, A argument);

        R take(Command.Take write, A argument);

        R takeAll(Command.TakeAll write, A argument);

        R acquire(Command.Acquire write, A argument);

        R release(Command.Release write, A argument);

        R reserve(Command.Reserve write, A argument);

        R settle(Command.Settle write, A argument);

        R grant(Command.Grant write, A argument);

        R giveBack(Command.Return write, A argument);

        R flushAll(Command.FlushAll write, A argument);

        R multi(Command.Multi write, A argument);

        R identified(Command.Identified write, A argument);
    }

    /** For commands that are neither. */
    public interface OfOther<A, R> {
        R flushExpired(Command.FlushExpired command, A argument);

        R setReadMode(Command.SetReadMode command, A argument);

        R setShares(Command.SetShares command, A argument);

        R ping(Command.Ping command, A argument);

        R info(Command.Info command, A argument);

        R auth(Command.Auth command, A argument);

        R quit(Command.Quit command, A argument);
    }
}
