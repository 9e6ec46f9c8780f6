package io.dshm.server.replication;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Takes values that are too long for one log entry to the log in pieces, one piece at a time, so that between any two of
 * them small commands go on. Nothing of a value can be seen before one last command publishes all of it.
 *
 * <p>Each piece is a command with an identity of its own, so it survives a change of leader like any other. Confined to
 * the thread of the lane whose outbox it uses.
 */
final class LargeValues {

    /** Values that are on their way at the same time; further ones wait. Every node keeps the pieces of each. */
    private static final int ACTIVE_MAX = 1;

    /** How often a value is begun anew when the log has dropped its pieces, because they came too slowly. */
    private static final int ATTEMPTS_MAX = 3;

    /** Submits a command and sees to it that it is sent. */
    interface Submitter {
        boolean submit(CommandRecord.Builder command, Pending pending);
    }

    /** What became of a large SET. */
    interface Listener {
        void onOutcome(Outcome outcome, long index);

        void onFailure(ErrorCode code, @Nullable String text);
    }

    private final Submitter submitter;
    private final ArrayDeque<Upload> waiting = new ArrayDeque<>();
    private int active;
    private long lastUpload;

    LargeValues(Submitter submitter) {
        this.submitter = submitter;
    }

    /** Begins with a value now, or when others are through. */
    void submit(Command.Set set, Listener listener) {
        waiting.add(new Upload(set, listener));
        startNext();
    }

    private void startNext() {
        while (active < ACTIVE_MAX && !waiting.isEmpty()) {
            active++;
            waiting.remove().begin();
        }
    }

    private final class Upload {

        private final Command.Set set;
        private final Listener listener;
        private long number;
        private int attempts;
        private int offset;

        Upload(Command.Set set, Listener listener) {
            this.set = set;
            this.listener = listener;
        }

        void begin() {
            number = ++lastUpload;
            attempts++;
            offset = 0;
            sendNext();
        }

        private void sendNext() {
            boolean publishes = offset == set.value().length;
            boolean taken = submitter.submit(publishes ? publication() : piece(), new Pending() {
                @Override
                void onOutcome(Outcome outcome, long index) {
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
                void onFailure(ErrorCode code) {
                    end();
                    if (publishes || code != ErrorCode.TIMEOUT) {
                        listener.onFailure(code, null);
                    } else {
                        // The command that publishes the value was never sent, so the SET cannot take effect.
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
            int length = Math.min(Limits.CHUNK_BYTES, set.value().length - offset);
            CommandRecord.Builder record = CommandRecord.newBuilder()
                    .setChunk(ValueChunk.newBuilder()
                            .setUpload(number)
                            .setValueLength(set.value().length)
                            .setOffset(offset)
                            .setData(UnsafeByteOperations.unsafeWrap(set.value(), offset, length)));
            offset += length;
            return record;
        }

        private CommandRecord.Builder publication() {
            return CommandRecord.newBuilder()
                    .setSetChunked(SetChunkedCommand.newBuilder()
                            .setKey(UnsafeByteOperations.unsafeWrap(set.key().bytes()))
                            .setTtlMillis(set.ttlMillis())
                            .setUpload(number)
                            .setValueLength(set.value().length));
        }

        private void end() {
            active--;
            startNext();
        }
    }
}
