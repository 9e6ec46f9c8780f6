package io.dshm.client;

import io.dshm.proto.Doubles;
import io.dshm.proto.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A value with its type and 32 bits of flags. The bytes are not copied: they are not to be changed once they are in
 * here.
 */
public final class Value {

    private final ValueType type;
    private final byte[] bytes;
    private final int flags;

    Value(ValueType type, byte[] bytes, int flags) {
        this.type = type;
        this.bytes = bytes;
        this.flags = flags;
    }

    /** A string of this text's UTF-8 bytes. */
    public static Value of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A string of these bytes. */
    public static Value of(byte[] bytes) {
        return new Value(ValueType.STRING, bytes, 0);
    }

    /** A number. */
    public static Value of(double number) {
        return new Value(ValueType.NUMBER, Doubles.toBytes(number), 0);
    }

    /** A boolean. */
    public static Value of(boolean bool) {
        return new Value(ValueType.BOOLEAN, Boolean.toString(bool).getBytes(StandardCharsets.US_ASCII), 0);
    }

    /** What {@code set} stores: bytes without flags. */
    public static Value raw(byte[] bytes) {
        return new Value(ValueType.RAW, bytes, 0);
    }

    /** The same with these flags. */
    public Value withFlags(int newFlags) {
        return new Value(type, bytes, newFlags);
    }

    /** What kind of value it is. Of a list the bytes are its length, of a limiter the tokens left, both as digits. */
    public ValueType type() {
        return type;
    }

    /** The bytes, in the form that the type has on the wire; not a copy. */
    public byte[] bytes() {
        return bytes;
    }

    /** The flags. */
    public int flags() {
        return flags;
    }

    /** The bytes as UTF-8. */
    public String text() {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /**
     * The value of a number, or of digits in whatever type.
     *
     * @throws NumberFormatException if it is none
     */
    public double number() {
        if (!Doubles.isNumber(bytes)) {
            throw new NumberFormatException("no number: " + text());
        }
        return Doubles.parse(bytes);
    }

    /** Whether it is the boolean {@code true}. */
    public boolean isTrue() {
        return type == ValueType.BOOLEAN && bytes.length == 4;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Value that
                && type == that.type
                && flags == that.flags
                && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes) + 31 * type.hashCode() + flags;
    }

    @Override
    public String toString() {
        return type.wireName() + " of " + bytes.length + " bytes";
    }
}
