package io.dshm.proto;

/**
 * The condition under which a write takes effect. A key that has expired is absent.
 *
 * @param version that of the entry for {@link Kind#VERSION}, above 0; else 0
 */
public record Condition(Kind kind, long version) {

    /** What there is to ask for. */
    public enum Kind {
        /** Nothing. */
        ANY,
        /** The key is absent. */
        ABSENT,
        /** The key is there. */
        PRESENT,
        /** The key is there, in that version. */
        VERSION
    }

    public static final Condition ANY = new Condition(Kind.ANY, 0);
    public static final Condition ABSENT = new Condition(Kind.ABSENT, 0);
    public static final Condition PRESENT = new Condition(Kind.PRESENT, 0);

    /** The key is there, in that version, which is above 0. */
    public static Condition version(long version) {
        return new Condition(Kind.VERSION, version);
    }
}
