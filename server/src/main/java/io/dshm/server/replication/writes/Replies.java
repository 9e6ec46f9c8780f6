package io.dshm.server.replication.writes;

import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.proto.Doubles;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import io.dshm.proto.text.ReplyEncoder;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.GrantedShare;
import io.dshm.server.store.limiters.Permit;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes replies of the outcomes of writes. */
public final class Replies {

    private static final Applied APPLIED = new Applied();
    private static final WrongKind WRONG_KIND = new WrongKind();
    private static final String EVICTED = "evicted=yes";

    private Replies() {}

    /** The reply to a command with this outcome. */
    public static Reply of(Command.Write write, Outcome outcome) {
        return switch (outcome.kind()) {
            case APPLIED -> write.accept(outcome, APPLIED);
            case BAD_REQUEST ->
                outcome.isNumeric()
                        ? failure(ErrorCode.BAD_REQUEST, outcome)
                        : new Reply.Failure(ErrorCode.BAD_REQUEST, write.accept(outcome, WRONG_KIND));
            case OVERFLOW -> failure(ErrorCode.OVERFLOW, outcome);
            case NOT_FOUND -> failure(ErrorCode.NOT_FOUND, outcome);
            case EXISTS -> failure(ErrorCode.EXISTS, outcome);
            case NOT_A_NUMBER -> failure(ErrorCode.NOT_A_NUMBER, outcome);
            case NOT_A_LIST -> failure(ErrorCode.NOT_A_LIST, outcome);
            case TOO_LARGE -> failure(ErrorCode.TOO_LARGE, outcome);
            case BUSY -> new Reply.Failure(ErrorCode.BUSY, "too many clients have an identity of their own");
            case DENIED -> new Reply.Failure(ErrorCode.DENIED, "the user has no right to this any more");
            case OUT_OF_MEMORY -> new Reply.Failure(ErrorCode.OUT_OF_MEMORY, "the nodes have no room for more");
            case CHUNKS_MISSING -> new Reply.Failure(ErrorCode.BUSY, "the value did not arrive whole");
            case UNKNOWN_ORIGIN, ALREADY_SETTLED, NO_INTEGER, AHEAD ->
                new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, null);
        };
    }

    /** The reply to an operator who limits a region or changes users. */
    public static Reply toOperator(CommandRecord.Builder record, Outcome outcome) {
        ChangeUsersCommand change = record.getChangeUsers();
        return switch (outcome.kind()) {
            case APPLIED -> Reply.Done.DONE;
            case NOT_FOUND ->
                new Reply.Failure(
                        ErrorCode.NOT_FOUND,
                        "there is no user " + change.getName()
                                + (change.getAction() == ChangeUsersCommand.Action.REVOKE
                                        ? ", or it has none of these rights"
                                        : ""));
            case EXISTS ->
                new Reply.Failure(
                        ErrorCode.EXISTS,
                        change.getAction() == ChangeUsersCommand.Action.ADD
                                ? "there is a user " + change.getName() + " already"
                                : change.getName() + " has two secrets already: finish the rotation first");
            case BAD_REQUEST ->
                new Reply.Failure(
                        ErrorCode.BAD_REQUEST, "no user would be left that has admin rights for all regions (admin:*)");
            case TOO_LARGE ->
                new Reply.Failure(
                        ErrorCode.TOO_LARGE,
                        record.hasChangeUsers()
                                ? "there are at most " + Limits.USERS_MAX + " users, with " + Limits.USER_RIGHTS_MAX
                                        + " rights each"
                                : "at most " + Limits.REGION_LIMITS_MAX + " regions may have a limit");
            case OUT_OF_MEMORY -> new Reply.Failure(ErrorCode.OUT_OF_MEMORY, "the nodes have no room for more");
            case OVERFLOW,
                    UNKNOWN_ORIGIN,
                    ALREADY_SETTLED,
                    CHUNKS_MISSING,
                    NO_INTEGER,
                    AHEAD,
                    NOT_A_NUMBER,
                    NOT_A_LIST,
                    BUSY,
                    DENIED -> new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, null);
        };
    }

    /** The error; for a MULTI with the number of the command that failed. */
    private static Reply failure(ErrorCode code, Outcome outcome) {
        return new Reply.Failure(code, outcome.isNumeric() ? Long.toString(outcome.number()) : null);
    }

    /** A write that may tell the entry's new version. */
    private static Reply changed(Outcome outcome) {
        if (outcome.isNumeric()) {
            return new Reply.Detailed(null, "version=" + outcome.number());
        }
        Double real = outcome.real();
        if (real != null) {
            return new Reply.Value(Doubles.toBytes(real));
        }
        return outcome.isAbsent() ? Reply.Done.ABSENT : Reply.Done.DONE;
    }

    /** The same, with the word that says that entries were evicted, if they were. */
    private static Reply orEvicted(Reply reply, Outcome outcome) {
        if (!outcome.isAfterEviction()) {
            return reply;
        }
        if (reply instanceof Reply.Detailed detailed) {
            return new Reply.Detailed(detailed.value(), detailed.details() + " " + EVICTED);
        }
        if (reply instanceof Reply.Value value) {
            return new Reply.Detailed(value.bytes(), EVICTED);
        }
        return reply instanceof Reply.IntegerValue number
                ? new Reply.Detailed(Long.toString(number.number()).getBytes(StandardCharsets.US_ASCII), EVICTED)
                : new Reply.Detailed(null, EVICTED);
    }

    private static Reply permit(Permit permit) {
        String words = "allowed=" + (permit.allowed() ? 1 : 0) + " limit=" + permit.limit() + " remaining="
                + permit.remaining() + " retry=" + permit.retryMillis();
        return new Reply.Detailed(null, permit.allowed() ? words + " fence=" + permit.fence() : words);
    }

    private static Reply share(GrantedShare share) {
        return new Reply.Detailed(
                null,
                "granted=" + share.granted() + " limit=" + share.limit() + " remaining=" + share.remaining() + " life="
                        + share.lifeMillis());
    }

    /** The reply to a write that was applied. */
    private static final class Applied implements CommandVisitor.OfWrite<Outcome, Reply> {
        @Override
        public Reply set(Command.Set write, Outcome outcome) {
            return new Reply.Value(write.value());
        }

        @Override
        public Reply touch(Command.Touch write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply delete(Command.Delete write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply incr(Command.Incr write, Outcome outcome) {
            byte[] value = outcome.value();
            Double real = outcome.real();
            // The value is no integer: the reply is the value itself.
            return value != null
                    ? new Reply.Value(value)
                    : real != null ? new Reply.Value(Doubles.toBytes(real)) : new Reply.IntegerValue(outcome.number());
        }

        @Override
        public Reply rateLimiter(Command.RateLimiter write, Outcome outcome) {
            return new Reply.IntegerValue(outcome.number());
        }

        @Override
        public Reply put(Command.Put write, Outcome outcome) {
            return orEvicted(changed(outcome), outcome);
        }

        @Override
        public Reply remove(Command.Remove write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply expire(Command.Expire write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply incrNumber(Command.IncrNumber write, Outcome outcome) {
            return orEvicted(changed(outcome), outcome);
        }

        @Override
        public Reply push(Command.Push write, Outcome outcome) {
            Reply reply = outcome.isNumeric() ? new Reply.IntegerValue(outcome.number()) : changed(outcome);
            return orEvicted(reply, outcome);
        }

        @Override
        public Reply pop(Command.Pop write, Outcome outcome) {
            byte[] value = outcome.value();
            if (value != null) {
                return new Reply.Detailed(value, "type=" + ValueType.STRING.wireName());
            }
            Double real = outcome.real();
            return real != null
                    ? new Reply.Detailed(Doubles.toBytes(real), "type=" + ValueType.NUMBER.wireName())
                    : changed(outcome);
        }

        @Override
        public Reply take(Command.Take write, Outcome outcome) {
            String decision = outcome.decisionInWords(write.shadow());
            return decision == null ? changed(outcome) : new Reply.Detailed(null, decision);
        }

        @Override
        public Reply reserve(Command.Reserve write, Outcome outcome) {
            return take(write.take(), outcome);
        }

        @Override
        public Reply settle(Command.Settle write, Outcome outcome) {
            String decision = outcome.decisionInWords(false);
            return decision == null ? changed(outcome) : new Reply.Detailed(null, decision);
        }

        @Override
        public Reply grant(Command.Grant write, Outcome outcome) {
            GrantedShare share = outcome.share();
            return share == null ? changed(outcome) : share(share);
        }

        @Override
        public Reply giveBack(Command.Return write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply acquire(Command.Acquire write, Outcome outcome) {
            Permit permit = outcome.permit();
            return permit == null ? changed(outcome) : permit(permit);
        }

        @Override
        public Reply release(Command.Release write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply takeAll(Command.TakeAll write, Outcome outcome) {
            List<Outcome> outcomes = outcome.several();
            List<Reply> replies = new ArrayList<>(outcomes.size());
            StringBuilder refused = new StringBuilder();
            for (int i = 0; i < outcomes.size(); i++) {
                Command.Take take = write.takes().get(i);
                Decision decision = outcomes.get(i).decision();
                if (decision != null && !decision.allowed() && !take.shadow()) {
                    refused.append(refused.isEmpty() ? " refused=" : ",").append(i + 1);
                }
                replies.add(take(take, outcomes.get(i)));
            }
            byte[] each = ReplyEncoder.encodeAll(new Reply.Several(replies));
            return new Reply.Detailed(each, refused.isEmpty() ? "allowed=1" : "allowed=0" + refused);
        }

        @Override
        public Reply flushAll(Command.FlushAll write, Outcome outcome) {
            return changed(outcome);
        }

        @Override
        public Reply multi(Command.Multi write, Outcome outcome) {
            List<Outcome> outcomes = outcome.several();
            List<Reply> replies = new ArrayList<>(outcomes.size());
            for (int i = 0; i < outcomes.size(); i++) {
                Outcome one = outcomes.get(i);
                replies.add(write.writes().get(i).accept(outcome.isAfterEviction() ? one.afterEviction() : one, this));
            }
            return new Reply.Several(replies);
        }

        @Override
        public Reply identified(Command.Identified write, Outcome outcome) {
            return write.write().accept(outcome, this);
        }
    }
}
