package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.proto.Key;
import io.dshm.proto.Request;
import io.dshm.proto.Right;
import io.dshm.server.rights.User;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which rights a command needs. A command has no other way to its answer, so that a new one has to be given a right
 * here.
 */
final class CommandRights
        implements CommandVisitor.OfRead<User, Boolean>,
                CommandVisitor.OfWrite<User, Boolean>,
                CommandVisitor.OfOther<Optional<User>, Boolean> {

    private static final CommandRights RIGHTS = new CommandRights();

    private CommandRights() {}

    /** Whether that user may do this; who is nobody may only become somebody. */
    static boolean admit(Request request, @Nullable User user) {
        if (request instanceof Command.Other other) {
            return other.accept(Optional.ofNullable(user), RIGHTS);
        }
        if (user == null) {
            return false;
        }
        if (request instanceof Command.Read read) {
            return read.accept(user, RIGHTS);
        }
        return !(request instanceof Command.Write write) || write.accept(user, RIGHTS);
    }

    private static boolean write(User user, Key key) {
        return user.may(Right.WRITE, key);
    }

    /** What shows something of the value that was there takes both rights. */
    private static boolean writeAndShow(User user, Key key) {
        return user.may(Right.WRITE, key) && user.may(Right.READ, key);
    }

    private static boolean take(User user, Key key) {
        return user.may(Right.TAKE, key);
    }

    @Override
    public Boolean get(Command.Get read, User user) {
        return user.may(Right.READ, read.key());
    }

    @Override
    public Boolean fetch(Command.Fetch read, User user) {
        return user.may(Right.READ, read.key());
    }

    @Override
    public Boolean stat(Command.Stat read, User user) {
        return user.may(Right.READ, read.key());
    }

    @Override
    public Boolean keys(Command.Keys read, User user) {
        return user.mayIn(Right.READ, read.region());
    }

    @Override
    public Boolean regionInfo(Command.RegionInfo read, User user) {
        return user.mayIn(Right.READ, read.region());
    }

    @Override
    public Boolean multiRead(Command.MultiRead read, User user) {
        for (Command.KeyRead one : read.reads()) {
            if (!user.may(Right.READ, one.key())) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Boolean set(Command.Set write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean touch(Command.Touch write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean delete(Command.Delete write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean incr(Command.Incr write, User user) {
        return writeAndShow(user, write.key());
    }

    @Override
    public Boolean put(Command.Put write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean remove(Command.Remove write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean expire(Command.Expire write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean incrNumber(Command.IncrNumber write, User user) {
        return writeAndShow(user, write.key());
    }

    @Override
    public Boolean push(Command.Push write, User user) {
        return write(user, write.key());
    }

    @Override
    public Boolean pop(Command.Pop write, User user) {
        return writeAndShow(user, write.key());
    }

    @Override
    public Boolean rateLimiter(Command.RateLimiter write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean take(Command.Take write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean acquire(Command.Acquire write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean release(Command.Release write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean reserve(Command.Reserve write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean settle(Command.Settle write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean grant(Command.Grant write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean giveBack(Command.Return write, User user) {
        return take(user, write.key());
    }

    @Override
    public Boolean takeAll(Command.TakeAll write, User user) {
        for (Command.Take one : write.takes()) {
            if (!take(user, one.key())) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Boolean flushAll(Command.FlushAll write, User user) {
        return user.mayIn(Right.WRITE, write.region());
    }

    @Override
    public Boolean multi(Command.Multi write, User user) {
        for (Command.KeyWrite one : write.writes()) {
            if (!one.accept(user, this)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Boolean identified(Command.Identified write, User user) {
        return write.write().accept(user, this);
    }

    @Override
    public Boolean flushExpired(Command.FlushExpired command, Optional<User> user) {
        return user.isPresent() && user.get().mayIn(Right.WRITE, command.region());
    }

    @Override
    public Boolean setReadMode(Command.SetReadMode command, Optional<User> user) {
        return user.isPresent();
    }

    @Override
    public Boolean setShares(Command.SetShares command, Optional<User> user) {
        return user.isPresent();
    }

    @Override
    public Boolean info(Command.Info command, Optional<User> user) {
        return user.isPresent();
    }

    @Override
    public Boolean auth(Command.Auth command, Optional<User> user) {
        return true;
    }

    @Override
    public Boolean ping(Command.Ping command, Optional<User> user) {
        return true;
    }

    @Override
    public Boolean quit(Command.Quit command, Optional<User> user) {
        return true;
    }
}
