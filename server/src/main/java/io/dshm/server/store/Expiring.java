package io.dshm.server.store;

/** What is kept until a deadline: an {@link Entry}, or one that a {@link Cursor} stands on. */
interface Expiring {

    /** The instant of the cluster clock from which on this entry counts as absent, or {@link Entry#NEVER}. */
    long expiresAtMillis();

    /** Whether this is a typed value's entry. */
    boolean isTyped();

    /** Whether this entry has a deadline at all. */
    default boolean hasDeadline() {
        return expiresAtMillis() != Entry.NEVER;
    }

    /** Whether this entry counts as absent at that instant of the cluster clock: from its deadline on. */
    default boolean isExpiredAt(long clockMillis) {
        return hasDeadline() && expiresAtMillis() <= clockMillis;
    }

    /**
     * Whether nothing can find this entry any more at that instant of the cluster clock, so that it may be purged: from
     * its deadline on, or, if it is typed, {@link Entry#STALE_MILLIS} later.
     */
    default boolean isGoneAt(long clockMillis) {
        return isExpiredAt(isTyped() ? clockMillis - Entry.STALE_MILLIS : clockMillis);
    }
}
