package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One call, from its beginning to its outcome. It is the future that its caller has, too, so that it costs one object
 * and a {@code cancel} reaches it.
 *
 * <p>Its outcome may be set by any thread; whatever else changes belongs to the event loop.
 */
final class Call<T> extends CompletableFuture<T> {

    /** Makes a result of a reply, or throws the exception that the caller gets. */
    @FunctionalInterface
    interface Reader<T> {
        @Nullable
        T read(Reply reply) throws IOException;
    }

    final Core core;
    final Command command;
    final Reader<T> reader;
    final long startedNanos = System.nanoTime();
    /** Nothing is sent from then on. */
    final long deadlineNanos;
    /** After which a copy is sent to another node; 0 for never. */
    final long hedgeNanos;
    /** What it counts for while it is outstanding. */
    final int bytes;

    private final Observer.@Nullable Observation observation;

    /** In the stack of those that have arrived. */
    @Nullable
    Call<?> next;

    /** The identity of this write; null if it has none, or none yet. */
    @Nullable
    Identity identity;

    /** Its number there. */
    long sequence;

    /** How many nodes owe a reply. */
    int copies;

    /** How often it was sent. */
    int attempts;

    /** Whether it stands in a queue. */
    boolean queued;

    /** Whether it makes an identity known: it takes no room, for there is one at a time. */
    boolean introduction;

    /** Whether a copy that no reply is expected to any more may have taken effect. */
    boolean unknown;

    /** Who it was sent to last. */
    @Nullable
    Node node;

    /** Of the last node that could not do it; null if none said so. */
    @Nullable
    ErrorCode lastCode;

    private boolean endedByCore;

    Call(
            Core core,
            Command command,
            Reader<T> reader,
            CallOptions options,
            Observer.@Nullable Observation observation) {
        this.core = core;
        this.command = command;
        this.reader = reader;
        this.deadlineNanos = startedNanos + options.deadline().toNanos();
        this.hedgeNanos = isFastRead() ? options.hedgeNanos() : 0;
        this.bytes = Sizes.of(command);
        this.observation = observation;
    }

    /** Whether it is answered from a node's memory, at once. All others may have to wait for other nodes. */
    boolean isFastRead() {
        return Sizes.isFastRead(command);
    }

    /** Whether it may change something. */
    boolean changes() {
        return command instanceof Command.Write || command instanceof Command.FlushExpired;
    }

    /** Whether it gets an identity, so that a second copy of it has no effect. */
    boolean canBeIdentified() {
        return command instanceof Command.Write
                && !(command instanceof Command.Identified)
                && !(command instanceof Command.FlushAll flush && flush.region().length == 0);
    }

    /** Whether it may be sent again after a copy that may have taken effect. */
    boolean isRepeatable() {
        return !changes() || identity != null;
    }

    /** Whether its outcome is set, or on its way there. */
    boolean isOver() {
        return endedByCore || isDone();
    }

    /** Whether nobody waits for it any more, or not for longer. */
    boolean isDue(long nowNanos) {
        return isOver() || deadlineNanos - nowNanos <= 0;
    }

    /** What is sent now. */
    Command toSend() {
        Identity known = identity;
        return known != null && command instanceof Command.Write write
                ? new Command.Identified(known.client(), sequence, known.lowest(), unknown, write)
                : command;
    }

    /** Sets the outcome that a reply tells. */
    void end(Reply reply) {
        @Nullable T result;
        try {
            result = reader.read(reply);
        } catch (CommandFailedException e) {
            fail(failure(e.code(), String.valueOf(e.getMessage())));
            return;
        } catch (DshmException e) {
            fail(e);
            return;
        } catch (IOException | RuntimeException e) {
            // A reply in a form that this client does not know.
            String message = "a reply of another form than expected: " + reply;
            fail(changes() ? new UnknownOutcomeException(message, null) : new UnavailableException(message, null));
            return;
        }
        endedByCore = true;
        core.callbacks.execute(() -> complete(result));
    }

    private DshmException failure(ErrorCode code, String message) {
        return switch (code.effect()) {
            case NONE -> new InvalidCallException(message, code);
            case NEVER -> new UnavailableException(message, code);
            case UNKNOWN ->
                changes() ? new UnknownOutcomeException(message, code) : new UnavailableException(message, code);
        };
    }

    /** Sets the outcome. */
    void fail(DshmException failure) {
        endedByCore = true;
        core.callbacks.execute(() -> completeExceptionally(failure));
    }

    @Override
    public boolean complete(@Nullable T value) {
        return ended(super.complete(value), null);
    }

    @Override
    public boolean completeExceptionally(Throwable failure) {
        return ended(super.completeExceptionally(failure), failure);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return ended(super.cancel(mayInterruptIfRunning), null);
    }

    private boolean ended(boolean now, @Nullable Throwable failure) {
        if (now) {
            if (!endedByCore) {
                core.abandoned();
            }
            if (observation != null) {
                observation.ended(failure, attempts);
            }
        }
        return now;
    }
}
