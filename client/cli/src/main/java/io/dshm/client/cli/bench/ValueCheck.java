package io.dshm.client.cli.bench;

import java.util.Arrays;

/**
 * What one worker knows of values that it alone writes. Its writes of a key are numbered, and a value says its number.
 * A read that was sent after the acknowledgement of a write must not show what was there before that write was sent.
 */
final class ValueCheck {

    private static final int KEY_BITS = 12;
    private static final int KEY_MASK = (1 << KEY_BITS) - 1;

    private final int worker;
    private final int workers;
    private final int endpoints;
    private final Violations violations;
    private final long[] sent;
    /** All writes up to that have an outcome, and which of the 64 after it have one. */
    private final long[] settled;

    private final long[] settledAfter;
    /** By key and endpoint: the lowest number that a read may show. */
    private final long[] least;

    private final long[] deleted;
    /** What the last read of any key may show at least. */
    private int first;

    /** A write with an unknown outcome may take effect at any time: then any number may show. */
    private final boolean[] open;

    /**
     * @param keys that are this worker's
     * @param endpoints whose reads are each fresh by themselves; 1 if what one has acknowledged all have to show
     */
    ValueCheck(int worker, int workers, int keys, int endpoints, Violations violations) {
        this.worker = worker;
        this.workers = workers;
        this.endpoints = endpoints;
        this.violations = violations;
        sent = new long[keys];
        settled = new long[keys];
        settledAfter = new long[keys];
        least = new long[keys * endpoints];
        deleted = new long[keys];
        open = new boolean[keys];
    }

    private int index(int key) {
        return key / workers;
    }

    /** The key with that index among this worker's. */
    int key(int index) {
        return index * workers + worker;
    }

    int keys() {
        return sent.length;
    }

    /** What a value says. */
    static long tag(int key, long number) {
        return (number << KEY_BITS) | (key & KEY_MASK);
    }

    /** All keys have their first value, which one endpoint has acknowledged; others may not show it yet. */
    void filled() {
        first = 1;
        Arrays.fill(sent, 1);
        Arrays.fill(settled, 1);
        if (endpoints == 1) {
            Arrays.fill(least, 1);
        }
    }

    /** Before a write is sent: gives it its number. */
    void writing(Flight flight) {
        int k = index(flight.key);
        flight.number = ++sent[k];
        flight.bound = settled[k];
        if (flight.op == Op.DELETE) {
            deleted[k] = flight.number;
        }
    }

    /** Before a read is sent. */
    void reading(Flight flight) {
        flight.bound = least[at(flight)];
    }

    private int at(Flight flight) {
        return index(flight.key) * endpoints + (endpoints == 1 ? 0 : flight.endpoint);
    }

    /** After the reply to a write. */
    void written(Flight flight, Reply.Outcome outcome) {
        int k = index(flight.key);
        if (outcome == Reply.Outcome.UNKNOWN) {
            open[k] = true;
        } else if (outcome == Reply.Outcome.OK || (outcome == Reply.Outcome.MISS && flight.op == Op.DELETE)) {
            least[at(flight)] = Math.max(least[at(flight)], flight.bound + 1);
        }
        long ahead = flight.number - settled[k];
        if (ahead > Long.SIZE) {
            open[k] = true; // too many at once to keep apart
            return;
        }
        settledAfter[k] |= 1L << (ahead - 1);
        while ((settledAfter[k] & 1) != 0) {
            settledAfter[k] >>>= 1;
            settled[k]++;
        }
    }

    /** After the reply to a read; also at the end of all, with the highest bound of all endpoints. */
    void read(Flight flight, Reply reply) {
        int k = index(flight.key);
        if (reply.outcome == Reply.Outcome.MISS) {
            if (flight.bound > deleted[k] && !open[k]) {
                say(flight.key, "there is nothing, but write " + flight.bound + " was acknowledged");
            }
            return;
        }
        if (reply.outcome != Reply.Outcome.OK) {
            return;
        }
        long tag = reply.tag();
        long number = tag >>> KEY_BITS;
        if (tag < 0 || (tag & KEY_MASK) != (flight.key & KEY_MASK) || number < 1 || number > sent[k]) {
            say(flight.key, "a value that nobody has written");
        } else if (number < flight.bound && !open[k]) {
            say(
                    flight.key,
                    "the value of write " + number + ", but write " + flight.bound + " was acknowledged before");
        }
    }

    /** Prepares the last read of a key, which must show what any endpoint has acknowledged. */
    void readingLast(Flight flight) {
        int k = index(flight.key);
        flight.bound = first;
        for (int e = 0; e < endpoints; e++) {
            flight.bound = Math.max(flight.bound, least[k * endpoints + e]);
        }
    }

    private void say(int key, String what) {
        violations.add(Violations.Kind.READS, "get of key " + key + ": " + what);
    }
}
