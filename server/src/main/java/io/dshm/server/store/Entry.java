package io.dshm.server.store;

import io.dshm.server.store.limiters.Limiter;

/**
 * What the store keeps under one key: its content, its deadline and its version. Immutable, so that a reader holds a
 * consistent entry however long it looks at it.
 *
 * <p>The store makes one when it is asked for an entry; what it keeps itself is a record in a {@link Segment}.
 */
public final class Entry implements Expiring {

    /** The deadline of an entry that never expires. */
    public static final long NEVER = Long.MAX_VALUE;

    /**
     * How long a typed entry is kept after its deadline, in milliseconds of the cluster clock: it can be seen and
     * revived that long. The same on all nodes, because the outcomes of commands depend on it.
     */
    public static final long STALE_MILLIS = 60_000;

    /** A {@code byte[]}, {@link Pieces} of one, a {@link Typed} or a {@link Limiter}. */
    private final Object content;

    private final long expiresAtMillis;
    private final long version;

    private Entry(Object content, long expiresAtMillis, long version) {
        this.content = content;
        this.expiresAtMillis = expiresAtMillis;
        this.version = version;
    }

    /**
     * An entry with a plain value.
     *
     * @param value not copied: nobody may change it afterwards
     * @param expiresAtMillis an instant of the cluster clock, or {@link #NEVER}
     * @param version that of the command that wrote it; see {@link Store}
     */
    public static Entry of(byte[] value, long expiresAtMillis, long version) {
        return new Entry(value, expiresAtMillis, version);
    }

    /**
     * An entry with a plain value.
     *
     * @param value a {@code byte[]} or {@link Pieces} of one; for the other parameters see
     *     {@link #of(byte[], long, long)}
     */
    public static Entry ofPlain(Object value, long expiresAtMillis, long version) {
        if (value instanceof byte[] || value instanceof Pieces) {
            return new Entry(value, expiresAtMillis, version);
        }
        throw new IllegalArgumentException("no plain value: " + value.getClass());
    }

    /** An entry with a rate limiter; for the other parameters see {@link #of(byte[], long, long)}. */
    public static Entry of(Limiter limiter, long expiresAtMillis, long version) {
        return new Entry(limiter, expiresAtMillis, version);
    }

    /** An entry with a typed value; for the other parameters see {@link #of(byte[], long, long)}. */
    public static Entry of(Typed typed, long expiresAtMillis, long version) {
        return new Entry(typed, expiresAtMillis, version);
    }

    /** An entry with what {@link #content} returned. */
    static Entry ofContent(Object content, long expiresAtMillis, long version) {
        return new Entry(content, expiresAtMillis, version);
    }

    /** A {@code byte[]}, {@link Pieces} of one, a {@link Typed} or a {@link Limiter}. */
    Object content() {
        return content;
    }

    /** The same content, with another deadline, written by the command of that version. */
    public Entry withExpiresAt(long expiresAtMillis, long version) {
        return new Entry(content, expiresAtMillis, version);
    }

    /** Whether this is a rate limiter's entry. */
    public boolean isLimiter() {
        return content instanceof Limiter;
    }

    /** Whether this entry has a plain value. */
    public boolean isPlain() {
        return content instanceof byte[] || content instanceof Pieces;
    }

    /**
     * Whether this entry may be evicted: a value, not what somebody relies on to be there. That is a limiter's use; and
     * a boolean with a deadline, which is what lua-resty-lock makes of a lock.
     */
    public boolean isEvictable() {
        return isPlain() || (isTyped() && !(typed().held() instanceof Boolean && hasDeadline()));
    }

    /** Whether this is a plain value or a string in {@link Pieces}: a long one, so no number, and no policy. */
    public boolean isLarge() {
        return content instanceof Pieces || (isTyped() && typed().held() instanceof Pieces);
    }

    @Override
    public boolean isTyped() {
        return content instanceof Typed;
    }

    /**
     * The plain value itself, not a copy: not to be changed. Puts the pieces of one that {@link #isLarge} together, so
     * then it is not for the thread that applies.
     *
     * @throws IllegalStateException if this is another kind of entry
     */
    public byte[] value() {
        if (content instanceof byte[] value) {
            return value;
        }
        if (content instanceof Pieces pieces) {
            return pieces.joined();
        }
        throw new IllegalStateException("this entry has no plain value");
    }

    /**
     * Bytes of a plain value or a string, which are not put together for that.
     *
     * @throws IllegalStateException if this is another kind of entry
     */
    public int length() {
        Object held = isTyped() ? typed().held() : content;
        if (held instanceof byte[] value) {
            return value.length;
        }
        if (held instanceof Pieces pieces) {
            return pieces.length();
        }
        throw new IllegalStateException("this entry has no bytes");
    }

    /**
     * The typed value.
     *
     * @throws IllegalStateException if this is another kind of entry
     */
    public Typed typed() {
        if (content instanceof Typed typed) {
            return typed;
        }
        throw new IllegalStateException("this entry has no typed value");
    }

    /**
     * The rate limiter.
     *
     * @throws IllegalStateException if this is another kind of entry
     */
    public Limiter limiter() {
        if (content instanceof Limiter limiter) {
            return limiter;
        }
        throw new IllegalStateException("this entry has no rate limiter");
    }

    @Override
    public long expiresAtMillis() {
        return expiresAtMillis;
    }

    /** The version of the command that wrote this entry; see {@link Store}. */
    public long version() {
        return version;
    }
}
