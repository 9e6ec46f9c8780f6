package io.dshm.client.cli.bench;

import java.util.Arrays;

/** A set of numbers from 0 on that are mostly without gaps. Of one thread. */
final class Bits {

    private long[] words = new long[1];

    /** False if it was there. */
    boolean add(long number) {
        int word = (int) (number >>> 6);
        if (word >= words.length) {
            words = Arrays.copyOf(words, Math.max(word + 1, words.length * 2));
        }
        long bit = 1L << number;
        boolean added = (words[word] & bit) == 0;
        words[word] |= bit;
        return added;
    }

    /** Adds all of another set; how many were in both. */
    long addAll(Bits other) {
        if (other.words.length > words.length) {
            words = Arrays.copyOf(words, other.words.length);
        }
        long both = 0;
        for (int i = 0; i < other.words.length; i++) {
            both += Long.bitCount(words[i] & other.words[i]);
            words[i] |= other.words[i];
        }
        return both;
    }

    /** How many are here and not in another set. */
    long without(Bits other) {
        long count = 0;
        for (int i = 0; i < words.length; i++) {
            count += Long.bitCount(words[i] & ~(i < other.words.length ? other.words[i] : 0));
        }
        return count;
    }
}
