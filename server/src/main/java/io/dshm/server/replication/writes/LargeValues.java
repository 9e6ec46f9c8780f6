package io.dshm.server.replication.writes;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.server.guard.Guard;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayDeque;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Takes values that are too long for one log entry to the log in pieces, one piece at a time, so that between any two
 * of them small commands go on. Nothing of a value can be seen before one last command publishes all of it.
 *
 * <p>Each piece is a command with an identity of its own, so it survives a change of leader like any other. All of a
 * value, with its time in the queue, has the one deadline of its request. What waits is counted by the front end's
 * memory budget. Confined to the thread of the lane whose outbox it uses.
 */
public final class LargeValues {

    /** Values that are on their way at the same time; further ones wait. Every node keeps the pieces of each. */
    private static final int ACTIVE_MAX = 1;

    /** How often a value is begun anew when the log has dropped its pieces, because they came too slowly. */
    private static final int ATTEMPTS_MAX = 3;

    /** Submits a command and sees to it that it is sent; false if it is not taken. */
    public interface Submitter {
        boolean submit(CommandRecord.Builder command, Pending pending, long deadlineNanos);
    }

    /** What became of the command with a large value. */
    public interface Listener {
        void onOutcome(Outcome outcome, long index);

        void onFailure(ErrorCode code, @Nullable String text);

        /** One of the others has thrown that; there will be no answer. */
        void onBroken(RuntimeException thrown);
    }

    private static final String LATE = "the value could not be replicated in time";

    private final Submitter submitter;
    private final ArrayDeque<Upload> waiting = new ArrayDeque<>();
    private int active;
    private long lastUpload;

    public LargeValues(Submitter submitter) {
        this.submitter = submitter;
    }

    /**
     * Begins with a value now, or when others are through.
     *
     * @param publication the command that publishes the pieces of the upload with that number
     * @param deadlineNanos at which its sender gives up: not before that of the value taken last
     */
    public void submit(
            byte[] value, LongFunction<CommandRecord.Builder> publication, long deadlineNanos, Listener listener) {
        waiting.add(new Upload(value, publication, deadlineNanos, listener));
        startNext();
    }

    /** Whether every value has been answered. */
    public boolean isEmpty() {
        return active == 0 && waiting.isEmpty();
    }

    /** Answers waiting values whose deadline has passed. Values that are being sent end by their pieces' deadlines. */
    public void expire(long nowNanos) {
        while (!waiting.isEmpty() && waiting.element().deadlineNanos - nowNanos <= 0) {
            // Nothing of it was sent, so it cannot take effect.
            waiting.remove().tellFailure(ErrorCode.BUSY, LATE);
        }
    }

    private void startNext() {
        while (active < ACTIVE_MAX && !waiting.isEmpty()) {
            active++;
            waiting.remove().begin();
        }
    }

    private final class Upload {

        private final byte[] value;
        private final LongFunction<CommandRecord.Builder> publication;
        private final long deadlineNanos;
        private final Listener listener;
        private long number;
        private int attempts;
        private boolean ended;
        private int offset;

        Upload(byte[] value, LongFunction<CommandRecord.Builder> publication, long deadlineNanos, Listener listener) {
            this.value = value;
            this.publication = publication;
            this.deadlineNanos = deadlineNanos;
            this.listener = listener;
        }

        void begin() {
            number = ++lastUpload;
            attempts++;
            offset = 0;
            sendNext();
        }

        private void sendNext() {
            boolean publishes = offset == value.length;
            Pending pending = new Pending() {
                @Override
                public void onOutcome(Outcome outcome, long index) {
                    if (outcome.kind() == Outcome.Kind.CHUNKS_MISSING && attempts < ATTEMPTS_MAX) {
                        begin();
                    } else if (publishes || outcome.kind() != Outcome.Kind.APPLIED) {
                        end();
                        listener.onOutcome(outcome, index);
                    } else {
                        sendNext();
                    }
                }

                @Override
                public void onFailure(ErrorCode code) {
                    end();
                    if (publishes || code != ErrorCode.TIMEOUT) {
                        listener.onFailure(code, null);
                    } else {
                        // The command that publishes the value was never sent, so it cannot take effect.
                        listener.onFailure(ErrorCode.BUSY, LATE);
                    }
                }

                @Override
                public void onBroken(RuntimeException thrown) {
                    end();
                    listener.onBroken(thrown);
                }
            };
            if (!submitter.submit(publishes ? publication.apply(number) : piece(), pending, deadlineNanos)) {
                end();
                tellFailure(ErrorCode.BUSY, "too many commands are outstanding");
            }
        }

        private void tellFailure(ErrorCode code, String text) {
            try {
                listener.onFailure(code, text);
            } catch (RuntimeException e) {
                Guard.thrown("who waits for a large value", e);
                listener.onBroken(e);
            }
        }

        private CommandRecord.Builder piece() {
            int length = Math.min(Limits.CHUNK_BYTES, value.length - offset);
            CommandRecord.Builder record = CommandRecord.newBuilder()
                    .setChunk(ValueChunk.newBuilder()
                            .setUpload(number)
                            .setValueLength(value.length)
                            .setOffset(offset)
                            .setData(UnsafeByteOperations.unsafeWrap(value, offset, length)));
            offset += length;
            return record;
        }

        /** Another one may begin; only once, whatever its listener throws. */
        private void end() {
            if (!ended) {
                ended = true;
                active--;
                startNext();
            }
        }
    }
}
