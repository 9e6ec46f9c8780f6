package io.dshm.client.cli.bench;

import java.time.Duration;

/**
 * What a run does.
 *
 * @param keys numbers of keys, of each kind of its own
 * @param sizeMin shortest value, in bytes; each size up to {@code sizeMax} is as likely
 * @param connections all together; they take turns among the endpoints and the threads
 * @param pipeline requests that wait for replies on a connection, at most
 * @param rate requests a second, counted from when they are due; 0 for a closed loop
 * @param duration what is measured, after the warm-up
 * @param count ends after so many requests, if that is earlier
 * @param read how fresh a read is, in the words of the protocol; empty for what the node is set to
 * @param timeout a connection without a reply for so long is given up
 * @param region of all keys
 */
public record Plan(
        Mix mix,
        Distribution distribution,
        int keys,
        int sizeMin,
        int sizeMax,
        int connections,
        int pipeline,
        int threads,
        double rate,
        Duration warmUp,
        Duration duration,
        long count,
        long seed,
        Limit limit,
        String read,
        Duration timeout,
        String region) {

    /** The shortest value: it says which write it is of. */
    public static final int SIZE_MIN = Bytes.TAG_BYTES;

    boolean isLinearizable() {
        return read.equals("linearizable");
    }

    /** How many of the values are written by that worker. */
    int keysOf(int worker) {
        return keys / threads + (worker < keys % threads ? 1 : 0);
    }
}
