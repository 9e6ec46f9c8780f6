package io.dshm.server.store;

import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Limiter;
import io.dshm.server.store.limiters.Meter;
import io.dshm.server.store.limiters.Quota;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Stands on an entry in the store and reads it where it is, so that looking at many entries makes no objects. What it
 * has read never changes: a record stays as it is for as long as anybody refers to it.
 *
 * <p>For one thread, and, where it is passed to a consumer, during the call alone.
 */
public final class Cursor implements Expiring {

    static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final byte[] NOWHERE = {};

    private byte[] chunk = NOWHERE;
    private int start;
    private int keyAt;
    private int keyLength;
    private int kind;
    private long version;
    private long expiresAtMillis;

    /** Of a plain value or a string. */
    private int valueLength;

    /** Where that begins, or what there is of another kind. */
    private int valueAt;

    private int flags;
    private @Nullable Object content;

    /** That of the key, if {@link #region} was asked for it here. */
    private final Region region = new Region();

    /** Goes to the record at that place of a chunk. */
    void moveTo(byte[] newChunk, int at) {
        chunk = newChunk;
        start = at;
        byte head = chunk[at + Integer.BYTES];
        kind = head & Draft.KINDS;
        int next = at + Integer.BYTES + 1;
        keyLength = (int) Varints.read(chunk, next);
        keyAt = Varints.end(chunk, next);
        next = keyAt + keyLength;
        version = Varints.read(chunk, next);
        next = Varints.end(chunk, next);
        expiresAtMillis = Entry.NEVER;
        if ((head & Draft.DEADLINE) != 0) {
            expiresAtMillis = Varints.read(chunk, next);
            next = Varints.end(chunk, next);
        }
        flags = 0;
        if (kind >= Draft.STRING && kind <= Draft.FALSE) {
            flags = (int) Varints.read(chunk, next);
            next = Varints.end(chunk, next);
        }
        valueLength = 0;
        if (kind <= Draft.STRING) {
            valueLength = (int) Varints.read(chunk, next);
            next = Varints.end(chunk, next);
        }
        valueAt = next;
        content = null;
    }

    /** Goes nowhere: what it stood on can be collected. */
    public void leave() {
        chunk = NOWHERE;
        content = null;
        region.leave();
    }

    /** Whether this record refers to a content outside of it. */
    boolean refers() {
        return kind == Draft.CONTENT;
    }

    /** Where that content stands. */
    int contentNumber() {
        return (int) INTS.get(chunk, valueAt);
    }

    void setContent(@Nullable Object content) {
        this.content = content;
    }

    @Nullable
    Object content() {
        return content;
    }

    /** Bytes of the record. */
    int recordBytes() {
        int end = valueAt
                + switch (kind) {
                    case Draft.PLAIN, Draft.STRING -> valueLength;
                    case Draft.NUMBER -> Double.BYTES;
                    case Draft.CONTENT -> Integer.BYTES;
                    default -> 0;
                };
        if (kind == Draft.METER) {
            end++;
            for (int number = 0; number < 6; number++) {
                end = Varints.end(chunk, end);
            }
        }
        return end - start;
    }

    int hash() {
        return (int) INTS.get(chunk, start);
    }

    /** Whether it is a plain value in the record: the bytes of {@link #array} from {@link #valueAt} on. */
    public boolean isPlainInRecord() {
        return kind == Draft.PLAIN;
    }

    /** What the record stands in. Not to be changed. */
    public byte[] array() {
        return chunk;
    }

    /** Where in {@link #array} a plain value begins. */
    public int valueAt() {
        return valueAt;
    }

    /** Bytes of a plain value, or of a string. */
    public int valueLength() {
        return valueLength;
    }

    /** A copy of the key. */
    public byte[] key() {
        return Arrays.copyOfRange(chunk, keyAt, keyAt + keyLength);
    }

    int keyLength() {
        return keyLength;
    }

    /** The region of the key, as long as the cursor stands here. Looks at all bytes of the name, or of the key. */
    Region region() {
        region.become(chunk, keyAt, keyLength);
        return region;
    }

    /**
     * Whether the key begins with that name, which contains no colon, and a colon; or, if the name is empty, with no
     * name and colon.
     */
    boolean isInRegion(byte[] name) {
        int end = keyAt + name.length;
        return name.length == 0
                ? Region.lengthIn(chunk, keyAt, keyAt + keyLength) == 0
                : name.length < keyLength
                        && chunk[end] == ':'
                        && Arrays.equals(chunk, keyAt, end, name, 0, name.length);
    }

    /** The version of the command that wrote it; see {@link Store}. */
    public long version() {
        return version;
    }

    @Override
    public long expiresAtMillis() {
        return expiresAtMillis;
    }

    @Override
    public boolean isTyped() {
        return (kind >= Draft.STRING && kind <= Draft.FALSE) || content instanceof Typed;
    }

    private boolean isLimiter() {
        return kind == Draft.METER || content instanceof Limiter;
    }

    /** See {@link Entry#isEvictable}. */
    public boolean isEvictable() {
        boolean lock = (kind == Draft.TRUE || kind == Draft.FALSE) && hasDeadline();
        return !isLimiter() && !lock;
    }

    /** What the entry counts for; see {@link EntryBytes#of}. */
    public long bytes() {
        return switch (kind) {
            case Draft.PLAIN -> EntryBytes.ofPlain(keyLength, valueLength);
            case Draft.STRING -> EntryBytes.ofString(keyLength, valueLength);
            case Draft.NUMBER -> EntryBytes.ofNumber(keyLength);
            case Draft.TRUE, Draft.FALSE -> EntryBytes.ofString(keyLength, 0);
            case Draft.METER -> EntryBytes.ofLimiter(keyLength, Meter.BYTES);
            default -> EntryBytes.of(keyLength, referred());
        };
    }

    private Object referred() {
        Object found = content;
        if (found == null) {
            throw new IllegalStateException("the content was not looked up");
        }
        return found;
    }

    /** The entry as an object of its own. */
    public Entry entry() {
        return Entry.ofContent(
                switch (kind) {
                    case Draft.PLAIN -> value();
                    case Draft.STRING -> new Typed(value(), flags);
                    case Draft.NUMBER -> new Typed(Double.longBitsToDouble((long) LONGS.get(chunk, valueAt)), flags);
                    case Draft.TRUE -> new Typed(true, flags);
                    case Draft.FALSE -> new Typed(false, flags);
                    case Draft.METER -> meter();
                    default -> referred();
                },
                expiresAtMillis,
                version);
    }

    /** A copy of a plain value or a string. */
    public byte[] value() {
        return Arrays.copyOfRange(chunk, valueAt, valueAt + valueLength);
    }

    private Meter meter() {
        Algorithm algorithm = Algorithm.ofCode(chunk[valueAt]);
        int next = valueAt + 1;
        long limit = Varints.read(chunk, next);
        next = Varints.end(chunk, next);
        long periodMillis = Varints.read(chunk, next);
        next = Varints.end(chunk, next);
        long burst = Varints.read(chunk, next);
        next = Varints.end(chunk, next);
        long atMillis = Varints.read(chunk, next);
        next = Varints.end(chunk, next);
        long used = Varints.read(chunk, next);
        next = Varints.end(chunk, next);
        long more = Varints.read(chunk, next);
        return Meter.restore(algorithm, new Quota(limit, periodMillis, burst), atMillis, used, more);
    }
}
