package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Right;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.rights.User;
import io.dshm.server.rights.Users;
import org.jspecify.annotations.Nullable;

/**
 * Who may do what, where log entries are applied: the node that took a command has asked before, but a right may have
 * been revoked since. Written by the thread that applies; any thread may look at the users.
 */
final class Authorization {

    private volatile Users users = Users.NONE;

    /** The users as of the last entry applied. Any thread. */
    Users users() {
        return users;
    }

    void become(Users other) {
        users = other;
    }

    Outcome change(ChangeUsersCommand change) {
        Users.Changed changed = users.after(change);
        users = changed.users();
        return switch (changed.verdict()) {
            case DONE -> Outcome.APPLIED;
            case NO_SUCH_USER, NO_SUCH_RIGHT -> Outcome.NOT_FOUND;
            case EXISTS -> Outcome.EXISTS;
            case TOO_MANY -> Outcome.TOO_LARGE;
            case NO_ADMIN -> Outcome.BAD_REQUEST;
        };
    }

    /** Whether that command may be applied: nobody has to be a user, or who asked for it is one, and may do it. */
    boolean admits(CommandRecord record) {
        Users now = users;
        if (!now.required()) {
            return true;
        }
        return isOfNode(record) || admits(record, now.withNumber(record.getCredential()));
    }

    /**
     * Whether no client's command ever becomes such a record; what a client has sent in pieces is looked at when it is
     * published.
     */
    private static boolean isOfNode(CommandRecord record) {
        return record.hasChunk() || record.hasLimitRegion() || record.hasChangeUsers() || record.hasRefused();
    }

    private static boolean admits(CommandRecord record, @Nullable User user) {
        return user != null
                && switch (record.getCommandCase()) {
                    case SET -> mayWrite(user, record.getSet().getKey());
                    case TOUCH -> mayWrite(user, record.getTouch().getKey());
                    case DELETE -> mayWrite(user, record.getDelete().getKey());
                    case INCR -> mayWriteAndSee(user, record.getIncr().getKey());
                    case SET_CHUNKED -> mayWrite(user, record.getSetChunked().getKey());
                    case PUT -> mayWrite(user, record.getPut().getKey());
                    case PUT_CHUNKED ->
                        mayWrite(user, record.getPutChunked().getPut().getKey());
                    case REMOVE -> mayWrite(user, record.getRemove().getKey());
                    case EXPIRE -> mayWrite(user, record.getExpire().getKey());
                    case INCR_NUMBER ->
                        mayWriteAndSee(user, record.getIncrNumber().getKey());
                    case PUSH -> mayWrite(user, record.getPush().getKey());
                    case POP -> mayWriteAndSee(user, record.getPop().getKey());
                    case FLUSH_ALL ->
                        user.mayIn(Right.WRITE, record.getFlushAll().getRegion().toByteArray());
                    case PURGE -> record.getPurge().getKeysList().stream().allMatch(key -> mayWrite(user, key));
                    case RATE_LIMITER -> mayTake(user, record.getRateLimiter().getKey());
                    case TAKE -> mayTake(user, record.getTake().getKey());
                    case RESERVE -> mayTake(user, record.getReserve().getTake().getKey());
                    case SETTLE -> mayTake(user, record.getSettle().getKey());
                    case GRANT -> mayTake(user, record.getGrant().getTake().getKey());
                    case GIVE_BACK -> mayTake(user, record.getGiveBack().getKey());
                    case ACQUIRE -> mayTake(user, record.getAcquire().getKey());
                    case RELEASE -> mayTake(user, record.getRelease().getKey());
                    case TAKE_ALL ->
                        record.getTakeAll().getTakesList().stream().allMatch(take -> mayTake(user, take.getKey()));
                    case MULTI -> record.getMulti().getWritesList().stream().allMatch(write -> admits(write, user));
                    case CHUNK, LIMIT_REGION, CHANGE_USERS, REFUSED -> false;
                    case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, FOUND_CLUSTER, CHANGE_MEMBER, COMMAND_NOT_SET -> false;
                };
    }

    private static boolean mayWrite(User user, ByteString key) {
        return user.mayAt(Right.WRITE, key);
    }

    /** What shows something of the value that was there takes both rights. */
    private static boolean mayWriteAndSee(User user, ByteString key) {
        return user.mayAt(Right.WRITE, key) && user.mayAt(Right.READ, key);
    }

    private static boolean mayTake(User user, ByteString key) {
        return user.mayAt(Right.TAKE, key);
    }
}
