package io.dshm.server.statemachine;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.wire.LimitDecision;
import io.dshm.proto.wire.PermitDecision;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.Results;
import io.dshm.proto.wire.ShareDecision;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.GrantedShare;
import io.dshm.server.store.limiters.Permit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of a command, as applying the log determined it: the same on every node. Immutable.
 *
 * <p>It does not repeat what the sender knows: the reply to a SET is its own value, and the sender has it.
 */
public final class Outcome {

    /** The kinds of the wire format, see {@code peer.proto}, where each is described. */
    public enum Kind {
        APPLIED(Result.Outcome.APPLIED),
        BAD_REQUEST(Result.Outcome.BAD_REQUEST),
        OVERFLOW(Result.Outcome.OVERFLOW),
        UNKNOWN_ORIGIN(Result.Outcome.UNKNOWN_ORIGIN),
        ALREADY_SETTLED(Result.Outcome.ALREADY_SETTLED),
        CHUNKS_MISSING(Result.Outcome.CHUNKS_MISSING),
        NO_INTEGER(Result.Outcome.NO_INTEGER),
        AHEAD(Result.Outcome.AHEAD),
        NOT_FOUND(Result.Outcome.NOT_FOUND),
        EXISTS(Result.Outcome.EXISTS),
        NOT_A_NUMBER(Result.Outcome.NOT_A_NUMBER),
        NOT_A_LIST(Result.Outcome.NOT_A_LIST),
        TOO_LARGE(Result.Outcome.TOO_LARGE),
        BUSY(Result.Outcome.BUSY),
        OUT_OF_MEMORY(Result.Outcome.OUT_OF_MEMORY),
        DENIED(Result.Outcome.DENIED);

        private final Result.Outcome wire;

        Kind(Result.Outcome wire) {
            this.wire = wire;
        }
    }

    /** What an outcome takes in memory that is remembered, beside its details: the object, and its slots in a ring. */
    private static final long REMEMBERED_BYTES = 48;

    /** What a decision takes in memory. */
    private static final int DECISION_BYTES = 64;

    /** What an outcome within that of a MULTI takes in memory, roughly. */
    private static final int OUTCOME_BYTES = 40;

    public static final Outcome APPLIED = of(Kind.APPLIED);
    static final Outcome BAD_REQUEST = of(Kind.BAD_REQUEST);
    static final Outcome OVERFLOW = of(Kind.OVERFLOW);
    static final Outcome UNKNOWN_ORIGIN = of(Kind.UNKNOWN_ORIGIN);
    static final Outcome ALREADY_SETTLED = of(Kind.ALREADY_SETTLED);
    static final Outcome CHUNKS_MISSING = of(Kind.CHUNKS_MISSING);
    static final Outcome NO_INTEGER = of(Kind.NO_INTEGER);
    static final Outcome AHEAD = of(Kind.AHEAD);

    /** Applied, of a DELETE: nothing was there, or only what had expired. */
    static final Outcome ABSENT = of(Kind.APPLIED);

    static final Outcome NOT_FOUND = of(Kind.NOT_FOUND);
    public static final Outcome EXISTS = of(Kind.EXISTS);
    static final Outcome NOT_A_NUMBER = of(Kind.NOT_A_NUMBER);
    static final Outcome NOT_A_LIST = of(Kind.NOT_A_LIST);
    static final Outcome TOO_LARGE = of(Kind.TOO_LARGE);
    public static final Outcome BUSY = of(Kind.BUSY);
    static final Outcome OUT_OF_MEMORY = of(Kind.OUT_OF_MEMORY);
    static final Outcome DENIED = of(Kind.DENIED);

    private final Kind kind;

    /** Whether {@link #number} is the reply. */
    private final boolean numeric;

    private final long number;

    /**
     * A {@code byte[]}, a {@link Double}, a {@link Decision}, a {@link Permit}, a {@link GrantedShare} or a list of
     * outcomes: one field for all, because so many are remembered.
     */
    private final @Nullable Object detail;

    /** Whether entries were evicted for it. */
    private final boolean evicted;

    private Outcome(Kind kind, boolean numeric, long number, @Nullable Object detail) {
        this(kind, numeric, number, detail, false);
    }

    private Outcome(Kind kind, boolean numeric, long number, @Nullable Object detail, boolean evicted) {
        this.evicted = evicted;
        this.kind = kind;
        this.numeric = numeric;
        this.number = number;
        this.detail = detail;
    }

    private static Outcome of(Kind kind) {
        return new Outcome(kind, false, 0, null);
    }

    /** Applied, with a number for the reply. */
    static Outcome number(long number) {
        return new Outcome(Kind.APPLIED, true, number, null);
    }

    /** Applied, with a double for the reply. */
    static Outcome real(double real) {
        return new Outcome(Kind.APPLIED, false, 0, real);
    }

    /** Applied, with bytes for the reply, which are shared with the store. */
    static Outcome value(byte[] value) {
        return new Outcome(Kind.APPLIED, false, 0, value);
    }

    /** Applied, with what a limit decided. */
    static Outcome decision(Decision decision) {
        return new Outcome(Kind.APPLIED, false, 0, decision);
    }

    /** Applied, with what an ACQUIRE got. */
    static Outcome permit(Permit permit) {
        return new Outcome(Kind.APPLIED, false, 0, permit);
    }

    /** Applied, with what a GRANT got. */
    static Outcome share(GrantedShare share) {
        return new Outcome(Kind.APPLIED, false, 0, share);
    }

    /** Applied, all of them. */
    static Outcome several(List<Outcome> outcomes) {
        return new Outcome(Kind.APPLIED, false, 0, List.copyOf(outcomes));
    }

    /** The same kind of failure, for one among several commands, counted from 1. */
    Outcome ofCommand(int position) {
        return new Outcome(kind, true, position, null);
    }

    /** The same, of a command for which entries were evicted. Not {@link #ABSENT}: what deletes needs no room. */
    public Outcome afterEviction() {
        return new Outcome(kind, numeric, number, detail, true);
    }

    /** Whether entries were evicted to make room for the command. */
    public boolean isAfterEviction() {
        return evicted;
    }

    public Kind kind() {
        return kind;
    }

    /** Whether {@link #number()} is the reply. */
    public boolean isNumeric() {
        return numeric;
    }

    /** A number as {@code peer.proto} says for each command; 0 unless {@link #isNumeric()}. */
    public long number() {
        return number;
    }

    /** INCR's reply on a value that is no integer, an element of a list that is a string; not to be changed. */
    public byte @Nullable [] value() {
        return detail instanceof byte[] value ? value : null;
    }

    /** INCR_NUMBER's new value, INCR's reply on a number that is no integer, an element of a list that is a number. */
    public @Nullable Double real() {
        return detail instanceof Double real ? real : null;
    }

    /** What a limit decided; null if this is no such outcome. */
    public @Nullable Decision decision() {
        return detail instanceof Decision decision ? decision : null;
    }

    /** What an ACQUIRE got; null if this is no such outcome. */
    public @Nullable Permit permit() {
        return detail instanceof Permit permit ? permit : null;
    }

    /** What a GRANT got; null if this is no such outcome. */
    public @Nullable GrantedShare share() {
        return detail instanceof GrantedShare share ? share : null;
    }

    /**
     * What a limit decided, as a reply says it; null if this is no such outcome.
     *
     * @param shadow whether the call passes in any case, and is told whether it would have
     */
    public @Nullable String decisionInWords(boolean shadow) {
        if (!(detail instanceof Decision decision)) {
            return null;
        }
        StringBuilder words = new StringBuilder(96)
                .append(shadow || decision.allowed() ? "allowed=1 limit=" : "allowed=0 limit=")
                .append(decision.limit())
                .append(" remaining=")
                .append(decision.remaining())
                .append(" reset=")
                .append(decision.resetMillis())
                .append(" retry=")
                .append(decision.retryMillis());
        if (decision.delayMillis() != Decision.NO_DELAY) {
            words.append(" delay=").append(decision.delayMillis());
        }
        if (shadow) {
            words.append(decision.allowed() ? " would=1" : " would=0");
        }
        return words.toString();
    }

    /** Those of a MULTI's commands; none for other commands. */
    public List<Outcome> several() {
        List<Outcome> outcomes = new ArrayList<>();
        if (detail instanceof List<?> list) {
            list.forEach(one -> outcomes.add((Outcome) one));
        }
        return outcomes;
    }

    /** What is to be remembered beside the outcome itself, in bytes. */
    long detailBytes() {
        if (detail instanceof List<?> list) {
            return list.stream()
                    .mapToLong(one -> OUTCOME_BYTES + ((Outcome) one).detailBytes())
                    .sum();
        }
        if (detail instanceof Decision || detail instanceof Permit || detail instanceof GrantedShare) {
            return DECISION_BYTES;
        }
        return detail instanceof byte[] value ? value.length : 0;
    }

    /** What it takes to remember this outcome, in bytes. */
    long rememberedBytes() {
        return REMEMBERED_BYTES + detailBytes();
    }

    /** Whether it is that of a DELETE which found nothing to delete. */
    public boolean isAbsent() {
        return this == ABSENT;
    }

    /** This outcome of the command with that sequence, for another node or a snapshot. */
    public Result toWire(long sequence) {
        Result.Builder result = Result.newBuilder()
                .setSequence(sequence)
                .setOutcome(kind.wire)
                .setAbsent(isAbsent())
                .setEvicted(evicted);
        if (numeric) {
            result.setNumber(number);
        } else if (detail instanceof byte[] value) {
            result.setValue(UnsafeByteOperations.unsafeWrap(value));
        } else if (detail instanceof Double real) {
            result.setReal(real);
        } else if (detail instanceof Decision decision) {
            result.setDecision(toWire(decision));
        } else if (detail instanceof Permit permit) {
            result.setPermit(toWire(permit));
        } else if (detail instanceof GrantedShare share) {
            result.setShare(toWire(share));
        } else if (detail != null) {
            Results.Builder results = Results.newBuilder();
            several().forEach(one -> results.addResults(one.toWire(0)));
            result.setSeveral(results);
        }
        return result.build();
    }

    private static LimitDecision.Builder toWire(Decision decision) {
        return LimitDecision.newBuilder()
                .setAllowed(decision.allowed())
                .setLimit(decision.limit())
                .setRemaining(decision.remaining())
                .setResetMillis(decision.resetMillis())
                .setRetryMillis(decision.retryMillis())
                .setDelayMillis(decision.delayMillis());
    }

    private static PermitDecision.Builder toWire(Permit permit) {
        return PermitDecision.newBuilder()
                .setAllowed(permit.allowed())
                .setLimit(permit.limit())
                .setRemaining(permit.remaining())
                .setRetryMillis(permit.retryMillis())
                .setFence(permit.fence());
    }

    private static Outcome fromWire(PermitDecision wire) {
        return permit(new Permit(
                wire.getAllowed(), wire.getLimit(), wire.getRemaining(), wire.getRetryMillis(), wire.getFence()));
    }

    private static ShareDecision.Builder toWire(GrantedShare share) {
        return ShareDecision.newBuilder()
                .setGranted(share.granted())
                .setLimit(share.limit())
                .setRemaining(share.remaining())
                .setLifeMillis(share.lifeMillis());
    }

    private static Outcome fromWire(ShareDecision wire) {
        return share(new GrantedShare(wire.getGranted(), wire.getLimit(), wire.getRemaining(), wire.getLifeMillis()));
    }

    private static Outcome fromWire(LimitDecision wire) {
        return decision(new Decision(
                wire.getAllowed(),
                wire.getLimit(),
                wire.getRemaining(),
                wire.getResetMillis(),
                wire.getRetryMillis(),
                wire.getDelayMillis()));
    }

    /**
     * The outcome that {@link #toWire} wrote.
     *
     * @throws IllegalArgumentException if it is of a kind unknown here
     */
    public static Outcome fromWire(Result result) {
        Outcome outcome = withoutEviction(result);
        return result.getEvicted() ? outcome.afterEviction() : outcome;
    }

    private static Outcome withoutEviction(Result result) {
        for (Kind kind : Kind.values()) {
            if (kind.wire == result.getOutcome()) {
                return switch (result.getReplyCase()) {
                    case NUMBER -> new Outcome(kind, true, result.getNumber(), null);
                    case VALUE -> new Outcome(kind, false, 0, result.getValue().toByteArray());
                    case REAL -> new Outcome(kind, false, 0, result.getReal());
                    case SEVERAL ->
                        several(result.getSeveral().getResultsList().stream()
                                .map(Outcome::fromWire)
                                .toList());
                    case DECISION -> fromWire(result.getDecision());
                    case PERMIT -> fromWire(result.getPermit());
                    case SHARE -> fromWire(result.getShare());
                    case REPLY_NOT_SET -> result.getAbsent() ? ABSENT : of(kind);
                };
            }
        }
        throw new IllegalArgumentException("unknown outcome " + result.getOutcomeValue());
    }

    @Override
    public String toString() {
        if (numeric) {
            return kind + "(" + number + ")";
        }
        if (isAbsent()) {
            return kind + "(absent)";
        }
        return detail == null || detail instanceof byte[] ? kind.toString() : kind + "(" + detail + ")";
    }
}
