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

    private long settledBelow = 1;
    private long end = 1;
    private @Nullable Outcome[] ring = new Outcome[64];

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

    /** Remembers the outcome of a command that {@link #recall} did not know. */
    void remember(long sequence, Outcome outcome) {
        if (sequence - settledBelow >= ring.length) {
            grow(sequence - settledBelow + 1);
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
        return details;
    }

    private int slot(long sequence) {
        return (int) (sequence & (ring.length - 1));
    }

    private void grow(long needed) {
        if (needed > WINDOW_MAX) {
            throw new IllegalStateException("a sender has " + needed + " commands that are not settled");
        }
        @Nullable Outcome[] larger = new Outcome[Integer.highestOneBit((int) needed - 1) << 1];
        for (long sequence = settledBelow; sequence < end; sequence++) {
            larger[(int) (sequence & (larger.length - 1))] = ring[slot(sequence)];
        }
        ring = larger;
    }

    /** All of it, for a snapshot, in pieces that are not too large for a frame; at least one. */
    List<SnapshotOrigin> toWire(long id) {
        List<SnapshotOrigin> pieces = new ArrayList<>();
        SnapshotOrigin.Builder piece = newPiece(id);
        int bytes = 0;
        for (long sequence = settledBelow; sequence < end; sequence++) {
            Outcome outcome = ring[slot(sequence)];
            if (outcome == null) {
                continue;
            }
            if (bytes >= Limits.SNAPSHOT_OUTCOMES_BYTES_MAX) {
                pieces.add(piece.build());
                piece = newPiece(id);
                bytes = 0;
            }
            Result result = outcome.toWire(sequence);
            piece.addResults(result);
            bytes += result.getSerializedSize();
        }
        pieces.add(piece.build());
        return pieces;
    }

    private SnapshotOrigin.Builder newPiece(long id) {
        return SnapshotOrigin.newBuilder().setOrigin(id).setSettledBelow(settledBelow);
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
