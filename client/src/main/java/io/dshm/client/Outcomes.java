package io.dshm.client;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * What becomes of a call: its reply came; an error said that it was not applied, and there is no time to try again; its
 * deadline is over; nobody waits for it any more. Until then it goes back to its queue. Of the event loop.
 */
final class Outcomes {

    private static final long RETRY_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int RETRY_DOUBLINGS_MAX = 6;

    private final Core core;
    private final NodeChoice nodes;
    private final Queues queues;
    private final Room room;
    private boolean closed;

    Outcomes(Core core, NodeChoice nodes, Queues queues, Room room) {
        this.core = core;
        this.nodes = nodes;
        this.queues = queues;
        this.room = room;
    }

    /** From now on nothing is tried again. */
    void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    /** A reply has come. */
    void answered(Call<?> call, Node node, Reply reply) {
        call.copies--;
        if (call.isOver()) {
            letGo(call);
            return;
        }
        if (call.unknown
                && reply instanceof Reply.Failure refusal
                && refusal.code().isOfThisCopyOnly()) {
            node.well();
            String code = refusal.code().wireName();
            end(
                    call,
                    new UnknownOutcomeException(
                            "an earlier copy may be applied; a later one got " + code, refusal.code()));
            return;
        }
        if (!(reply instanceof Reply.Failure failure) || !failure.code().mayBeBetterElsewhere()) {
            node.well();
            letGo(call);
            call.end(reply);
            return;
        }
        ErrorCode code = failure.code();
        call.lastCode = code;
        if (code == ErrorCode.NO_LEADER || code == ErrorCode.SHUTTING_DOWN) {
            node.unwell(code);
        }
        call.unknown |= call.changes() && code.effect() == ErrorCode.Effect.UNKNOWN;
        if (call.copies > 0) {
            return;
        }
        if (call.unknown && !call.isRepeatable()) {
            end(call, new UnknownOutcomeException("the node said " + code.wireName(), code));
        } else {
            again(call, true);
        }
    }

    /** A connection has ended before these calls, in their order, had their replies. */
    void broken(List<Call<?>> calls) {
        for (int i = calls.size() - 1; i >= 0; i--) {
            Call<?> call = calls.get(i);
            call.copies--;
            call.unknown |= call.changes();
            if (call.isOver()) {
                letGo(call);
            } else if (call.copies == 0 && call.unknown && !call.isRepeatable()) {
                end(call, new UnknownOutcomeException("the connection ended before its reply", null));
            } else if (call.copies == 0) {
                again(call, call.attempts > 1);
            }
        }
    }

    private void again(Call<?> call, boolean later) {
        if (closed || (call.introduction && call.unknown)) {
            expired(call);
        } else if (!later) {
            queues.add(call, true);
        } else {
            long longest = RETRY_MIN_NANOS << Math.min(call.attempts, RETRY_DOUBLINGS_MAX);
            long pause = longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2);
            queues.delay(call);
            core.loop.schedule(() -> delayIsOver(call), pause, TimeUnit.NANOSECONDS);
        }
    }

    private void delayIsOver(Call<?> call) {
        if (queues.resume(call)) {
            core.pump();
        }
    }

    /** A request that cannot be said in the protocol. */
    void refused(Call<?> call, IllegalArgumentException why) {
        end(call, new InvalidCallException(String.valueOf(why.getMessage()), null));
    }

    /** Sets the failure, if there is no outcome yet. */
    void end(Call<?> call, DshmException failure) {
        letGo(call);
        if (!call.isOver()) {
            call.fail(failure);
        }
    }

    /** The room of a call that is over is free when nothing refers to it any more; its number at once. */
    private void letGo(Call<?> call) {
        Identity identity = call.identity;
        if (identity != null) {
            call.identity = null;
            identity.giveBack(call.sequence, System.nanoTime());
        }
        if (call.copies == 0 && !call.queued && !call.introduction) {
            room.giveBack(call.bytes);
        }
    }

    /** Its deadline is over, or the client is closed. */
    void expired(Call<?> call) {
        if (call.isOver()) {
            letGo(call);
            return;
        }
        String last = call.lastCode == null ? "" : "; a node last said " + call.lastCode.wireName();
        String message = closed
                ? "the client was closed"
                : "no outcome within " + TimeUnit.NANOSECONDS.toMillis(call.deadlineNanos - call.startedNanos) + " ms"
                        + last + "; " + nodes.troubles();
        boolean mayTakeEffect = call.unknown || (call.copies > 0 && call.changes());
        end(
                call,
                mayTakeEffect
                        ? new UnknownOutcomeException(message, call.lastCode)
                        : new UnavailableException(message, call.lastCode));
    }

    /** Where all that can be reached do not accept this client, waiting does not help. */
    void failIfDenied() {
        if (!nodes.areDenied()) {
            return;
        }
        String message = "no node accepts this client: " + nodes.troubles();
        for (Call<?> call : queues.removeAll(call -> true)) {
            end(
                    call,
                    call.unknown
                            ? new UnknownOutcomeException(message, null)
                            : new InvalidCallException(message, null));
        }
    }
}
