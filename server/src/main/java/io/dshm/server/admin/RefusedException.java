package io.dshm.server.admin;

/** What an operator asked for is not done; the message says why, and what to do. */
public final class RefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    /** Another node leads, or this one is about to hand over: to be asked there. */
    public static final String NOT_LEADER = "not_leader";

    /** Another change is under way: to be tried again. */
    public static final String BUSY = "busy";

    /** The node has not caught up yet: to be tried again. */
    public static final String NOT_CAUGHT_UP = "not_caught_up";

    /** It would do harm, or makes no sense. */
    public static final String REFUSED = "refused";

    /** It was begun, and nobody knows whether it will be done: to be looked at. */
    public static final String UNKNOWN = "unknown_outcome";

    private final String code;

    /** @param code one of the words above */
    public RefusedException(String code, String message) {
        super(message);
        this.code = code;
    }

    /** A word for programs. */
    public String code() {
        return code;
    }
}
