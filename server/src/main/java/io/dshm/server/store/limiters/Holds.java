package io.dshm.server.store.limiters;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * What is held of a limit until some instant: a list of identities, each with a number and its end, the earliest end
 * first. Immutable; every change copies it, so the caller bounds their number.
 */
public final class Holds {

    public static final Holds NONE = new Holds(new byte[0][], new long[0], new long[0], 0, 0);

    /** What one takes in memory, beside its identity: the slots, the array of the identity, and some for growth. */
    private static final long HOLD_BYTES = 64;

    private final byte[][] ids;
    private final long[] numbers;
    private final long[] endsMillis;
    private final long tokens;
    private final long bytes;

    private Holds(byte[][] ids, long[] numbers, long[] endsMillis, long tokens, long bytes) {
        this.ids = ids;
        this.numbers = numbers;
        this.endsMillis = endsMillis;
        this.tokens = tokens;
        this.bytes = bytes;
    }

    public int size() {
        return ids.length;
    }

    /** The identity at that place; not to be changed. */
    public byte[] id(int place) {
        return ids[place];
    }

    public long number(int place) {
        return numbers[place];
    }

    /** The instant from which on it is held no more. */
    public long endMillis(int place) {
        return endsMillis[place];
    }

    /** The sum of the numbers above 0, where numbers are tokens. */
    long tokens() {
        return tokens;
    }

    private static long tokensOf(long number) {
        return Math.max(0, number);
    }

    /** The last instant at which one with tokens is held; an instant before all others if there is none. */
    long lastUseMillis() {
        for (int place = ids.length - 1; place >= 0; place--) {
            if (numbers[place] > 0) {
                return endsMillis[place] - 1;
            }
        }
        return Long.MIN_VALUE;
    }

    /** The place of the first with that identity; -1 if there is none. */
    public int placeOf(byte[] id) {
        for (int place = 0; place < ids.length; place++) {
            if (Arrays.equals(ids[place], id)) {
                return place;
            }
        }
        return -1;
    }

    /**
     * The same with one more, behind those that end no later.
     *
     * @param id kept, not copied
     */
    public Holds with(byte[] id, long number, long endMillis) {
        int place = 0;
        while (place < ids.length && endsMillis[place] <= endMillis) {
            place++;
        }
        byte[][] moreIds = Arrays.copyOf(ids, ids.length + 1);
        long[] moreNumbers = Arrays.copyOf(numbers, ids.length + 1);
        long[] moreEnds = Arrays.copyOf(endsMillis, ids.length + 1);
        System.arraycopy(ids, place, moreIds, place + 1, ids.length - place);
        System.arraycopy(numbers, place, moreNumbers, place + 1, ids.length - place);
        System.arraycopy(endsMillis, place, moreEnds, place + 1, ids.length - place);
        moreIds[place] = id;
        moreNumbers[place] = number;
        moreEnds[place] = endMillis;
        return new Holds(moreIds, moreNumbers, moreEnds, tokens + tokensOf(number), bytes + bytesOf(id.length));
    }

    /** The same without that one. */
    public Holds without(int place) {
        int left = ids.length - 1;
        byte[][] fewerIds = Arrays.copyOf(ids, left);
        long[] fewerNumbers = Arrays.copyOf(numbers, left);
        long[] fewerEnds = Arrays.copyOf(endsMillis, left);
        System.arraycopy(ids, place + 1, fewerIds, place, left - place);
        System.arraycopy(numbers, place + 1, fewerNumbers, place, left - place);
        System.arraycopy(endsMillis, place + 1, fewerEnds, place, left - place);
        return new Holds(
                fewerIds,
                fewerNumbers,
                fewerEnds,
                tokens - tokensOf(numbers[place]),
                bytes - bytesOf(ids[place].length));
    }

    /** The same, with another number at that place. */
    public Holds withNumber(int place, long number) {
        long[] changed = numbers.clone();
        changed[place] = number;
        return new Holds(ids, changed, endsMillis, tokens - tokensOf(numbers[place]) + tokensOf(number), bytes);
    }

    /**
     * The same after tokens of that identity were given back, of those first that end first: so many, or all that it
     * has. Who has no tokens left is not there any more.
     *
     * @return this one, if it has none
     */
    Holds givenBack(byte[] id, long amount) {
        int first = placeOf(id);
        if (first < 0 || amount <= 0) {
            return this;
        }
        byte[][] leftIds = ids.clone();
        long[] leftNumbers = numbers.clone();
        long[] leftEnds = endsMillis.clone();
        long toGive = amount;
        int count = first;
        for (int place = first; place < ids.length; place++) {
            long left = numbers[place];
            if (toGive > 0 && Arrays.equals(ids[place], id)) {
                long given = Math.min(toGive, left);
                toGive -= given;
                left -= given;
                if (left == 0) {
                    continue;
                }
            }
            leftIds[count] = ids[place];
            leftNumbers[count] = left;
            leftEnds[count] = endsMillis[place];
            count++;
        }
        return new Holds(
                Arrays.copyOf(leftIds, count),
                Arrays.copyOf(leftNumbers, count),
                Arrays.copyOf(leftEnds, count),
                tokens - (amount - toGive),
                bytes - (ids.length - count) * bytesOf(id.length));
    }

    /** How many have ended at that instant: they are the first ones. */
    public int endedAt(long clockMillis) {
        int ended = 0;
        while (ended < ids.length && endsMillis[ended] <= clockMillis) {
            ended++;
        }
        return ended;
    }

    /** Those that have not ended at that instant. */
    public Holds at(long clockMillis) {
        int ended = endedAt(clockMillis);
        if (ended == 0) {
            return this;
        }
        long tokensLeft = tokens;
        long bytesLeft = bytes;
        for (int place = 0; place < ended; place++) {
            tokensLeft -= tokensOf(numbers[place]);
            bytesLeft -= bytesOf(ids[place].length);
        }
        return new Holds(
                Arrays.copyOfRange(ids, ended, ids.length),
                Arrays.copyOfRange(numbers, ended, ids.length),
                Arrays.copyOfRange(endsMillis, ended, ids.length),
                tokensLeft,
                bytesLeft);
    }

    /** The end of the last one; an instant before all others if there is none. */
    public long lastEndMillis() {
        return ids.length == 0 ? Long.MIN_VALUE : endsMillis[ids.length - 1];
    }

    /** What they take in memory, by a formula that depends on them alone. */
    public long bytes() {
        return bytes;
    }

    /** The same of one with an identity of that length. */
    public static long bytesOf(int idBytes) {
        return HOLD_BYTES + ((idBytes + 7) & -8);
    }

    /** Passes on all that they are, for a digest. */
    void forEachNumber(LongConsumer consumer) {
        consumer.accept(ids.length);
        for (int place = 0; place < ids.length; place++) {
            consumer.accept(numbers[place]);
            consumer.accept(endsMillis[place]);
            consumer.accept(ids[place].length);
            long word = 0;
            for (int at = 0; at < ids[place].length; at++) {
                word = word << Byte.SIZE | (ids[place][at] & 0xFF);
                if (at % Long.BYTES == Long.BYTES - 1) {
                    consumer.accept(word);
                    word = 0;
                }
            }
            consumer.accept(word);
        }
    }
}
