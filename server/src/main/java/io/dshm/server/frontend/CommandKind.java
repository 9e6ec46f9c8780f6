package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.proto.Request;
import java.util.Locale;

/**
 * What requests are told apart by where they are counted: the verb, but one for both ends of a list, and one for what
 * is no command.
 */
public enum CommandKind {
    GET,
    FETCH,
    STAT,
    KEYS,
    REGION_INFO,
    SET,
    TOUCH,
    DELETE,
    INCR,
    RATE_LIMITER,
    PUT,
    REMOVE,
    EXPIRE,
    INCR_NUMBER,
    PUSH,
    POP,
    TAKE,
    TAKE_ALL,
    ACQUIRE,
    RELEASE,
    RESERVE,
    SETTLE,
    GRANT,
    RETURN,
    FLUSH_ALL,
    FLUSH_EXPIRED,
    MULTI,
    READ_MODE,
    SHARES,
    AUTH,
    PING,
    INFO,
    QUIT,
    REJECTED;

    private static final Kinds KINDS = new Kinds();
    private static final int NOTHING = 0;

    private final String label = name().toLowerCase(Locale.ROOT);

    /** As metrics name it. */
    public String label() {
        return label;
    }

    /** What that request is counted as; with an identity as without. */
    static CommandKind of(Request request) {
        if (request instanceof Command.Get) {
            return GET;
        }
        if (request instanceof Command.Write write) {
            return write.accept(NOTHING, KINDS);
        }
        if (request instanceof Command.Read read) {
            return read.accept(NOTHING, KINDS);
        }
        return request instanceof Command.Other other ? other.accept(NOTHING, KINDS) : REJECTED;
    }

    /** That command, without an identity around it. */
    static Command without(Command command) {
        return command instanceof Command.Identified identified ? identified.write() : command;
    }

    private static final class Kinds
            implements CommandVisitor.OfRead<Integer, CommandKind>,
                    CommandVisitor.OfWrite<Integer, CommandKind>,
                    CommandVisitor.OfOther<Integer, CommandKind> {
        @Override
        public CommandKind get(Command.Get read, Integer unused) {
            return CommandKind.GET;
        }

        @Override
        public CommandKind fetch(Command.Fetch read, Integer unused) {
            return CommandKind.FETCH;
        }

        @Override
        public CommandKind stat(Command.Stat read, Integer unused) {
            return CommandKind.STAT;
        }

        @Override
        public CommandKind keys(Command.Keys read, Integer unused) {
            return CommandKind.KEYS;
        }

        @Override
        public CommandKind regionInfo(Command.RegionInfo read, Integer unused) {
            return CommandKind.REGION_INFO;
        }

        @Override
        public CommandKind multiRead(Command.MultiRead read, Integer unused) {
            return CommandKind.MULTI;
        }

        @Override
        public CommandKind set(Command.Set write, Integer unused) {
            return CommandKind.SET;
        }

        @Override
        public CommandKind touch(Command.Touch write, Integer unused) {
            return CommandKind.TOUCH;
        }

        @Override
        public CommandKind delete(Command.Delete write, Integer unused) {
            return CommandKind.DELETE;
        }

        @Override
        public CommandKind incr(Command.Incr write, Integer unused) {
            return CommandKind.INCR;
        }

        @Override
        public CommandKind rateLimiter(Command.RateLimiter write, Integer unused) {
            return CommandKind.RATE_LIMITER;
        }

        @Override
        public CommandKind put(Command.Put write, Integer unused) {
            return CommandKind.PUT;
        }

        @Override
        public CommandKind remove(Command.Remove write, Integer unused) {
            return CommandKind.REMOVE;
        }

        @Override
        public CommandKind expire(Command.Expire write, Integer unused) {
            return CommandKind.EXPIRE;
        }

        @Override
        public CommandKind incrNumber(Command.IncrNumber write, Integer unused) {
            return CommandKind.INCR_NUMBER;
        }

        @Override
        public CommandKind push(Command.Push write, Integer unused) {
            return CommandKind.PUSH;
        }

        @Override
        public CommandKind pop(Command.Pop write, Integer unused) {
            return CommandKind.POP;
        }

        @Override
        public CommandKind take(Command.Take write, Integer unused) {
            return CommandKind.TAKE;
        }

        @Override
        public CommandKind takeAll(Command.TakeAll write, Integer unused) {
            return CommandKind.TAKE_ALL;
        }

        @Override
        public CommandKind acquire(Command.Acquire write, Integer unused) {
            return CommandKind.ACQUIRE;
        }

        @Override
        public CommandKind release(Command.Release write, Integer unused) {
            return CommandKind.RELEASE;
        }

        @Override
        public CommandKind reserve(Command.Reserve write, Integer unused) {
            return CommandKind.RESERVE;
        }

        @Override
        public CommandKind settle(Command.Settle write, Integer unused) {
            return CommandKind.SETTLE;
        }

        @Override
        public CommandKind grant(Command.Grant write, Integer unused) {
            return CommandKind.GRANT;
        }

        @Override
        public CommandKind giveBack(Command.Return write, Integer unused) {
            return CommandKind.RETURN;
        }

        @Override
        public CommandKind flushAll(Command.FlushAll write, Integer unused) {
            return CommandKind.FLUSH_ALL;
        }

        @Override
        public CommandKind multi(Command.Multi write, Integer unused) {
            return CommandKind.MULTI;
        }

        @Override
        public CommandKind identified(Command.Identified write, Integer unused) {
            return write.write().accept(unused, this);
        }

        @Override
        public CommandKind flushExpired(Command.FlushExpired command, Integer unused) {
            return CommandKind.FLUSH_EXPIRED;
        }

        @Override
        public CommandKind setReadMode(Command.SetReadMode command, Integer unused) {
            return CommandKind.READ_MODE;
        }

        @Override
        public CommandKind setShares(Command.SetShares command, Integer unused) {
            return CommandKind.SHARES;
        }

        @Override
        public CommandKind auth(Command.Auth command, Integer unused) {
            return CommandKind.AUTH;
        }

        @Override
        public CommandKind ping(Command.Ping command, Integer unused) {
            return CommandKind.PING;
        }

        @Override
        public CommandKind info(Command.Info command, Integer unused) {
            return CommandKind.INFO;
        }

        @Override
        public CommandKind quit(Command.Quit command, Integer unused) {
            return CommandKind.QUIT;
        }
    }
}
