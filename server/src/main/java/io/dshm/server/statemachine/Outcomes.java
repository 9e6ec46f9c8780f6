package io.dshm.server.statemachine;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.SnapshotOrigin;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The outcomes of one sender's commands, by their numbers, which are dense; in a ring, so that the number says where.
 *
 * <p>Confined to the thread that applies.
 */
final class Outcomes {

    /**
     * An origin has at most {@link Limits#COMMANDS_OUTSTANDING_MAX} commands outstanding; some more may be remembered,
     * because what is settled reaches the log a little later. Beyond this an entry is wrong.
     */
    private static final int WINDOW_MAX = 4 * Limits.COMMANDS_OUTSTANDING_MAX;

    /** The shortest ring: few clients have more outstanding. */
    private static final int RING_MIN = 8;

    /** A ring of more slots than this many times what is in it is given up for a shorter one. */
    private static final int SLACK_MAX = 8;

    private long settledBelow = 1;
    private long end = 1;
    private @Nullable Outcome[] ring = new Outcome[RING_MIN];

    /** See {@link #bytes}. */
    private long bytes;

    /** The outcome of that command if it has one, {@link Outcome#ALREADY_SETTLED} if it was forgotten, or null. */
    @Nullable
    Outcome recall(long sequence) {
        if (sequence < settledBelow) {
            return Outcome.ALREADY_SETTLED;
        }
        return sequence < end ? ring[slot(sequence)] : null;
    }

    /** Whether all commands before that one are remembered or settled. */
    boolean isNext(long sequence) {
        return sequence == end;
    }

    /** Numbers from the first that is not settled to the last that is remembered. */
    int span() {
        return (int) (end - settledBelow);
    }

    /** What {@link #span} will be when the outcome of that command, which is not settled, is remembered. */
    long spanWith(long sequence) {
        return Math.max(end, sequence + 1) - settledBelow;
    }

    /** Remembers the outcome of a command that {@link #recall} did not know. */
    void remember(long sequence, Outcome outcome) {
        long needed = sequence - settledBelow + 1;
        if (needed > ring.length) {
            if (needed > WINDOW_MAX) {
                throw new IllegalStateException("a sender has " + needed + " commands that are not settled");
            }
            resize(Integer.highestOneBit((int) needed - 1) << 1);
        }
        Outcome before = ring[slot(sequence)];
        bytes += outcome.rememberedBytes() - (before == null ? 0 : before.rememberedBytes());
        ring[slot(sequence)] = outcome;
        end = Math.max(end, sequence + 1);
    }

    /** What all that is remembered takes, in bytes. */
    long bytes() {
        return bytes;
    }

    /**
     * Forgets what was decided below that number.
     *
     * @return the {@linkplain Outcome#detailBytes bytes} that are not remembered any more
     */
    long settle(long below) {
        long details = 0;
        long last = Math.min(below, end);
        for (; settledBelow < last; settledBelow++) {
            Outcome outcome = ring[slot(settledBelow)];
            details += outcome == null ? 0 : outcome.detailBytes();
            bytes -= outcome == null ? 0 : outcome.rememberedBytes();
            ring[slot(settledBelow)] = null;
        }
        if (below > settledBelow) {
            settledBelow = below;
            end = Math.max(end, below);
        }
        if (ring.length > RING_MIN && ring.length / SLACK_MAX > span()) {
            resize(Math.max(RING_MIN, ring.length / 2));
        }
        return details;
    }

    private int slot(long sequence) {
        return (int) (sequence & (ring.length - 1));
    }

    private void resize(int length) {
        @Nullable Outcome[] other = new Outcome[length];
        for (long sequence = settledBelow; sequence < end; sequence++) {
            other[(int) (sequence & (other.length - 1))] = ring[slot(sequence)];
        }
        ring = other;
    }

    /** A copy of the present outcomes, for any thread. Copies one reference for each number of the span. */
    Frozen freeze() {
        @Nullable Outcome[] outcomes = new Outcome[span()];
        int first = slot(settledBelow);
        int straight = Math.min(outcomes.length, ring.length - first);
        System.arraycopy(ring, first, outcomes, 0, straight);
        System.arraycopy(ring, 0, outcomes, straight, outcomes.length - straight);
        return new Frozen(settledBelow, outcomes);
    }

    /** The outcomes as they were at one moment. Immutable. */
    static final class Frozen {

        private final long settledBelow;
        private final @Nullable Outcome[] outcomes;

        private Frozen(long settledBelow, @Nullable Outcome[] outcomes) {
            this.settledBelow = settledBelow;
            this.outcomes = outcomes;
        }

        /** All of it, for a snapshot, in pieces that are not too large for a frame; at least one. */
        List<SnapshotOrigin> toWire(long id) {
            List<SnapshotOrigin> pieces = new ArrayList<>();
            SnapshotOrigin.Builder piece = newPiece(id);
            int bytes = 0;
            for (int i = 0; i < outcomes.length; i++) {
                Outcome outcome = outcomes[i];
                if (outcome == null) {
                    continue;
                }
                if (bytes >= Limits.SNAPSHOT_OUTCOMES_BYTES_MAX) {
                    pieces.add(piece.build());
                    piece = newPiece(id);
                    bytes = 0;
                }
                Result result = outcome.toWire(settledBelow + i);
                piece.addResults(result);
                bytes += result.getSerializedSize();
            }
            pieces.add(piece.build());
            return pieces;
        }

        private SnapshotOrigin.Builder newPiece(long id) {
            return SnapshotOrigin.newBuilder().setOrigin(id).setSettledBelow(settledBelow);
        }
    }

    /**
     * Takes a piece out of a snapshot.
     *
     * @return the {@linkplain Outcome#detailBytes bytes} that are remembered for it
     */
    long load(SnapshotOrigin piece) {
        settle(piece.getSettledBelow());
        long details = 0;
        for (Result result : piece.getResultsList()) {
            Outcome outcome = Outcome.fromWire(result);
            remember(result.getSequence(), outcome);
            details += outcome.detailBytes();
        }
        return details;
    }
}
