package io.dshm.server.replication.writes;

import io.dshm.proto.Command;
import io.dshm.proto.Doubles;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayList;
import java.util.List;

/** Outcomes of writes to replies. */
public final class Replies {

    private Replies() {}

    /** What the sender of a command is told of its outcome. */
    public static Reply of(Command.Write write, Outcome outcome) {
        if (write instanceof Command.Identified identified) {
            return of(identified.write(), outcome);
        }
        return switch (outcome.kind()) {
            case APPLIED -> applied(write, outcome);
            case BAD_REQUEST ->
                outcome.isNumeric()
                        ? failure(ErrorCode.BAD_REQUEST, outcome)
                        : new Reply.Failure(ErrorCode.BAD_REQUEST, wrongKind(write));
            case OVERFLOW -> failure(ErrorCode.OVERFLOW, outcome);
            case NOT_FOUND -> failure(ErrorCode.NOT_FOUND, outcome);
            case EXISTS -> failure(ErrorCode.EXISTS, outcome);
            case NOT_A_NUMBER -> failure(ErrorCode.NOT_A_NUMBER, outcome);
            case NOT_A_LIST -> failure(ErrorCode.NOT_A_LIST, outcome);
            case TOO_LARGE -> failure(ErrorCode.TOO_LARGE, outcome);
            case BUSY -> new Reply.Failure(ErrorCode.BUSY, "too many clients have an identity of their own");
            case OUT_OF_MEMORY -> new Reply.Failure(ErrorCode.OUT_OF_MEMORY, "the nodes have no room for more");
            case CHUNKS_MISSING -> new Reply.Failure(ErrorCode.BUSY, "the value did not arrive whole");
            case UNKNOWN_ORIGIN, ALREADY_SETTLED, NO_INTEGER, AHEAD ->
                new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, null);
        };
    }

    /** Why a command is not for the entry that it found. */
    private static String wrongKind(Command.Write write) {
        if (write instanceof Command.Incr) {
            return "INCR takes the key of a value; this one holds a rate limiter or a list";
        }
        return write instanceof Command.RateLimiter
                ? "RATE_LIMITER takes a key of its own; this one holds a value or a list"
                : "EXPIRE takes no rate limiter; its key expires when its longest window is empty";
    }

    /** Of a MULTI: with the number of the command that failed. */
    private static Reply failure(ErrorCode code, Outcome outcome) {
        return new Reply.Failure(code, outcome.isNumeric() ? Long.toString(outcome.number()) : null);
    }

    private static Reply applied(Command.Write write, Outcome outcome) {
        if (write instanceof Command.Multi multi) {
            List<Outcome> outcomes = outcome.several();
            List<Reply> replies = new ArrayList<>(outcomes.size());
            for (int i = 0; i < outcomes.size(); i++) {
                replies.add(applied(multi.writes().get(i), outcomes.get(i)));
            }
            return new Reply.Several(replies);
        }
        byte[] value = outcome.value();
        Double real = outcome.real();
        if (write instanceof Command.Incr) {
            // On what is no integer the value as it is.
            return value != null
                    ? new Reply.Value(value)
                    : real != null ? new Reply.Value(Doubles.toBytes(real)) : new Reply.IntegerValue(outcome.number());
        }
        if (write instanceof Command.Set set) {
            return new Reply.Value(set.value());
        }
        if (write instanceof Command.RateLimiter) {
            return new Reply.IntegerValue(outcome.number());
        }
        return typed(write, outcome);
    }

    /** To a write of a typed entry. */
    private static Reply typed(Command.Write write, Outcome outcome) {
        byte[] value = outcome.value();
        Double real = outcome.real();
        if (outcome.isNumeric()) {
            return write instanceof Command.Push
                    ? new Reply.IntegerValue(outcome.number())
                    : new Reply.Detailed(null, "version=" + outcome.number());
        } else if (write instanceof Command.Pop && value != null) {
            return new Reply.Detailed(value, "type=" + ValueType.STRING.wireName());
        } else if (real != null) {
            byte[] number = Doubles.toBytes(real);
            return write instanceof Command.Pop
                    ? new Reply.Detailed(number, "type=" + ValueType.NUMBER.wireName())
                    : new Reply.Value(number);
        }
        return outcome.isAbsent() ? Reply.Done.ABSENT : Reply.Done.DONE;
    }
}
