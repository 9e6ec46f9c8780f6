package io.dshm.server.replication.writes;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayDeque;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Takes values that are too long for one log entry to the log in pieces, one piece at a time, so that between any two of
 * them small commands go on. Nothing of a value can be seen before one last command publishes all of it.
 *
 * <p>Each piece is a command with an identity of its own, so it survives a change of leader like any other. Confined to
 * the thread of the lane whose outbox it uses.
 */
public final class LargeValues {

    /** Values that are on their way at the same time; further ones wait. Every node keeps the pieces of each. */
    private static final int ACTIVE_MAX = 1;

    /** How often a value is begun anew when the log has dropped its pieces, because they came too slowly. */
    private static final int ATTEMPTS_MAX = 3;

    /** Submits a command and sees to it that it is sent. */
    public interface Submitter {
        boolean submit(CommandRecord.Builder command, Pending pending);
    }

    /** What became of the command with a large value. */
    public interface Listener {
        void onOutcome(Outcome outcome, long index);

        void onFailure(ErrorCode code, @Nullable String text);
    }

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
     */
    public void submit(byte[] value, LongFunction<CommandRecord.Builder> publication, Listener listener) {
        waiting.add(new Upload(value, publication, listener));
        startNext();
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
        private final Listener listener;
        private long number;
        private int attempts;
        private int offset;

        Upload(byte[] value, LongFunction<CommandRecord.Builder> publication, Listener listener) {
            this.value = value;
            this.publication = publication;
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
            boolean taken = submitter.submit(publishes ? publication.apply(number) : piece(), new Pending() {
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
                        listener.onFailure(ErrorCode.BUSY, "the value could not be replicated in time");
                    }
                }
            });
            if (!taken) {
                end();
                listener.onFailure(ErrorCode.BUSY, "too many commands are outstanding");
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

        private void end() {
            active--;
            startNext();
        }
    }
}
