package io.dshm.server.statemachine;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.wire.Result;
import org.jspecify.annotations.Nullable;

/**
 * What a command brought about, as the log determined it: the same on every node. Immutable.
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
        AHEAD(Result.Outcome.AHEAD);

        private final Result.Outcome wire;

        Kind(Result.Outcome wire) {
            this.wire = wire;
        }
    }

    public static final Outcome APPLIED = new Outcome(Kind.APPLIED, false, 0, null, false);
    static final Outcome ABSENT = new Outcome(Kind.APPLIED, false, 0, null, true);
    static final Outcome BAD_REQUEST = new Outcome(Kind.BAD_REQUEST, false, 0, null, false);
    static final Outcome OVERFLOW = new Outcome(Kind.OVERFLOW, false, 0, null, false);
    static final Outcome UNKNOWN_ORIGIN = new Outcome(Kind.UNKNOWN_ORIGIN, false, 0, null, false);
    static final Outcome ALREADY_SETTLED = new Outcome(Kind.ALREADY_SETTLED, false, 0, null, false);
    static final Outcome CHUNKS_MISSING = new Outcome(Kind.CHUNKS_MISSING, false, 0, null, false);
    static final Outcome NO_INTEGER = new Outcome(Kind.NO_INTEGER, false, 0, null, false);
    static final Outcome AHEAD = new Outcome(Kind.AHEAD, false, 0, null, false);

    private final Kind kind;
    private final boolean numeric;
    private final long number;
    private final byte @Nullable [] value;
    private final boolean absent;

    private Outcome(Kind kind, boolean numeric, long number, byte @Nullable [] value, boolean absent) {
        this.kind = kind;
        this.numeric = numeric;
        this.number = number;
        this.value = value;
        this.absent = absent;
    }

    /** Applied, with a number for the reply. */
    static Outcome number(long number) {
        return new Outcome(Kind.APPLIED, true, number, null, false);
    }

    /** Applied, with bytes for the reply, which are shared with the store. */
    static Outcome value(byte[] value) {
        return new Outcome(Kind.APPLIED, false, 0, value, false);
    }

    public Kind kind() {
        return kind;
    }

    /** Whether {@link #number()} is the reply. */
    public boolean isNumeric() {
        return numeric;
    }

    /** INCR's new value, RATE_LIMITER's tokens left; 0 unless {@link #isNumeric()}. */
    public long number() {
        return number;
    }

    /** INCR's reply on a value that is no integer; not to be changed. */
    public byte @Nullable [] value() {
        return value;
    }

    /** Whether it is that of a DELETE which found nothing to delete. */
    public boolean isAbsent() {
        return absent;
    }

    /** This outcome of the command with that sequence, for another node or a snapshot. */
    public Result toWire(long sequence) {
        Result.Builder result =
                Result.newBuilder().setSequence(sequence).setOutcome(kind.wire).setAbsent(absent);
        if (numeric) {
            result.setNumber(number);
        } else if (value != null) {
            result.setValue(UnsafeByteOperations.unsafeWrap(value));
        }
        return result.build();
    }

    /**
     * The outcome that {@link #toWire} wrote.
     *
     * @throws IllegalArgumentException if it is of a kind unknown here
     */
    public static Outcome fromWire(Result result) {
        for (Kind kind : Kind.values()) {
            if (kind.wire == result.getOutcome()) {
                return switch (result.getReplyCase()) {
                    case NUMBER -> new Outcome(kind, true, result.getNumber(), null, false);
                    case VALUE -> new Outcome(kind, false, 0, result.getValue().toByteArray(), false);
                    case REPLY_NOT_SET -> new Outcome(kind, false, 0, null, result.getAbsent());
                };
            }
        }
        throw new IllegalArgumentException("unknown outcome " + result.getOutcomeValue());
    }

    @Override
    public String toString() {
        return numeric ? kind + "(" + number + ")" : absent ? kind + "(absent)" : kind.toString();
    }
}
