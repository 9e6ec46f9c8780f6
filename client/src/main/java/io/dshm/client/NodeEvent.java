package io.dshm.client;

/**
 * What has happened to a client's link to a node.
 *
 * @param node as it was named to the builder
 * @param state what it is now
 * @param reason why, in a few words; empty if there is nothing to say
 */
public record NodeEvent(String node, State state, String reason) {

    /** What a link to a node can be. */
    public enum State {
        /** A connection is being opened. */
        CONNECTING,
        /** It can be used. */
        UP,
        /** It answers, but knows no leader, or is stopping: others are preferred for a while. */
        UNWELL,
        /** The connection has ended, or could not be opened: it is tried again, after a pause. */
        DOWN,
        /** It has answered nothing for too long, so its connections were closed: as {@link #DOWN}. */
        STALLED,
        /**
         * It does not accept the credentials, or its certificate or that of the client is not accepted: as
         * {@link #DOWN}.
         */
        DENIED,
        /** New calls go to it from now on. */
        CHOSEN,
        /** The client is closed. */
        CLOSED
    }
}
