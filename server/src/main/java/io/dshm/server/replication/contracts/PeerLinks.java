package io.dshm.server.replication.contracts;

import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import java.util.concurrent.ScheduledExecutorService;

/** Connections to other nodes, for the commands that they are to propose. */
public interface PeerLinks {

    /** One connection. Used on its lane's thread only. */
    interface Link {

        /** Sends in order, at most once; dropped silently when the link is not open. */
        void send(Forward forward);

        /** Whether it takes more now; if not, {@link Listener#onWritable} follows when it does. */
        default boolean isWritable() {
            return true;
        }

        /** Ends the link, without a call to its listener. */
        void close();
    }

    /** What a link tells, on its lane's thread. */
    interface Listener {

        /** Connected: everything may be sent. */
        void onOpen();

        /** Replies come in no particular order. */
        void onReply(ForwardReply reply);

        /** {@link Link#isWritable} has become true again. */
        default void onWritable() {}

        /** Broken, or never came about. What was sent may have arrived. Nothing follows. */
        void onClosed();
    }

    /**
     * Begins to connect.
     *
     * @param node the name of the node to connect to
     * @param lane the event loop that the link is to live on
     */
    Link open(String node, ScheduledExecutorService lane, Listener listener);
}
