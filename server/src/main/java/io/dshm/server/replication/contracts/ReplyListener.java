package io.dshm.server.replication.contracts;

import io.dshm.proto.Reply;
import io.dshm.server.guard.Guard;

/**
 * Waits for a reply. Called once, on the thread of the lane that took the command, and never from within the call by
 * which the lane took it.
 */
@FunctionalInterface
public interface ReplyListener {

    void onReply(Reply reply);

    /**
     * {@link #onReply} has thrown this exception, which was logged: there will be no reply. A client's connection is to
     * be closed, since the client would wait. Nothing happens by default, which is right where nobody waits.
     */
    default void onBroken(RuntimeException thrown) {}

    /** Tells the reply; what the listener throws goes no further. */
    default void tell(Reply reply) {
        try {
            onReply(reply);
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    /** Something on the way to the reply has thrown that. */
    default void fail(RuntimeException thrown) {
        Guard.thrown("who waits for a reply", thrown);
        try {
            onBroken(thrown);
        } catch (RuntimeException again) {
            Guard.thrown("who waits for a reply, and was told of its failure,", again);
        }
    }
}
