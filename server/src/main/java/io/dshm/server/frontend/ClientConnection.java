package io.dshm.server.frontend;

/** A connection as its {@link ConnectionSet} sees it. Called on its event loop. */
public interface ClientConnection {

    /** Called every few seconds: it closes itself if it has made no progress for more than so many checks in a row. */
    void checkProgress(int checksMax);

    /** Takes no further request, and ends when the replies that are outstanding are sent. Called until it has ended. */
    void finish();

    /** What waits for its client. */
    UnreadReplies unread();

    /** Ends at once and lets go of all that waits for its client. */
    void disconnect();
}
