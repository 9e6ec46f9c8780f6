package io.dshm.server.rights;

import java.util.Arrays;
import java.util.List;

/** Regions that are named by patterns: a name, or the beginning of names with a {@code *} at its end. Immutable. */
final class RegionPatterns {

    private final boolean all;
    private final byte[][] names;
    private final byte[][] beginnings;

    /** @param patterns as the log has them */
    RegionPatterns(List<byte[]> patterns) {
        this.beginnings = patterns.stream()
                .filter(RegionPatterns::isBeginning)
                .map(pattern -> Arrays.copyOf(pattern, pattern.length - 1))
                .toArray(byte[][]::new);
        this.names = patterns.stream().filter(pattern -> !isBeginning(pattern)).toArray(byte[][]::new);
        this.all = Arrays.stream(beginnings).anyMatch(beginning -> beginning.length == 0);
    }

    private static boolean isBeginning(byte[] pattern) {
        return pattern.length > 0 && pattern[pattern.length - 1] == '*';
    }

    /** Whether every region is one of them. */
    boolean isAll() {
        return all;
    }

    /** Whether the region is one of them whose name is the first {@code length} bytes of a key. Makes no object. */
    boolean include(byte[] key, int length) {
        if (all) {
            return true;
        }
        for (byte[] name : names) {
            if (name.length == length && startsWith(key, name)) {
                return true;
            }
        }
        for (byte[] beginning : beginnings) {
            if (beginning.length <= length && startsWith(key, beginning)) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWith(byte[] key, byte[] beginning) {
        return Arrays.equals(key, 0, beginning.length, beginning, 0, beginning.length);
    }
}
