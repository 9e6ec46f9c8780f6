package io.dshm.server.frontend;

import io.dshm.proto.Limits;
import io.netty.channel.Channel;
import java.util.concurrent.TimeUnit;

/**
 * What one connection does in one turn of its event loop. The loop serves other clients, too: after so many requests
 * and replies, or so many bytes of them, the connection goes on in the next turn. Confined to the event loop.
 */
final class Turn {

    private final Channel channel;
    private final Runnable onNext;
    private int steps;
    private long bytes;
    private long bytesOutBefore;
    private boolean over;
    private boolean nextScheduled;

    /** @param onNext called when a new turn begins after one that was over */
    Turn(Channel channel, Runnable onNext) {
        this.channel = channel;
        this.onNext = onNext;
    }

    /** Nothing more is to be done in this turn. {@link #onNext} follows. */
    boolean isOver() {
        return over;
    }

    /** So many bytes were received. */
    void received(int count) {
        bytes += count;
    }

    /** What is being handled is so many requests or replies in one. */
    void handling(int inOne) {
        steps += inOne - 1;
    }

    /**
     * A request or a reply was handled.
     *
     * @param bytesOut of all replies on this connection so far
     */
    void handled(long bytesOut) {
        steps++;
        bytes += bytesOut - bytesOutBefore;
        bytesOutBefore = bytesOut;
        if (steps >= Limits.TURN_STEPS_MAX || bytes >= Limits.TURN_BYTES_MAX) {
            over = true;
            if (!nextScheduled) {
                nextScheduled = true;
                // Not execute(): the loop may run such a task in this turn, again and again.
                channel.eventLoop().schedule(this::next, 0, TimeUnit.NANOSECONDS);
            }
        }
    }

    private void next() {
        nextScheduled = false;
        begin();
        onNext.run();
    }

    /** Goes on in this turn, whatever was done in it. */
    void begin() {
        over = false;
        steps = 0;
        bytes = 0;
    }

    /** The loop has read all that it reads from the connection in this turn. */
    void onReadComplete() {
        if (!over) {
            begin();
        }
    }
}
