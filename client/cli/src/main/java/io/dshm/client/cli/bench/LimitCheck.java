package io.dshm.client.cli.bench;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one worker was admitted to. An admission took place between the sending of its request and its reply; so a limit
 * is broken for sure if too many that were sent after the begin of a stretch have a reply before its end.
 */
final class LimitCheck {

    /** Admissions that are remembered: 16 bytes each. Later ones are not checked. */
    private static final int ADMISSIONS_MAX = 4_000_000;

    private static final int FIRST_ADMISSIONS = 16;
    private static final int[] PERIODS = {1, 10};
    /** The clocks of nodes and of this machine may differ by so much in their pace. */
    private static final double PACE = 0.99;

    private final @Nullable Admissions[] admissions;
    private int count;

    LimitCheck(int keys) {
        admissions = new @Nullable Admissions[keys];
    }

    private static final class Admissions {
        long[] sent = new long[FIRST_ADMISSIONS];
        long[] replied = new long[FIRST_ADMISSIONS];
        int size;

        void add(long sentAt, long repliedAt) {
            if (size == sent.length) {
                sent = Arrays.copyOf(sent, size * 2);
                replied = Arrays.copyOf(replied, size * 2);
            }
            sent[size] = sentAt;
            replied[size++] = repliedAt;
        }
    }

    /** After an admission. */
    void admitted(Flight flight, long now) {
        if (count == ADMISSIONS_MAX) {
            return;
        }
        count++;
        Admissions list = admissions[flight.key];
        if (list == null) {
            list = new Admissions();
            admissions[flight.key] = list;
        }
        list.add(flight.sent, now);
    }

    /** What all workers were admitted to under a key, against the limit. */
    static void verify(List<LimitCheck> checks, int key, Limit limit, Violations violations) {
        int size =
                checks.stream().mapToInt(check -> size(check.admissions[key])).sum();
        long[] sent = new long[size];
        long[] replied = new long[size];
        int at = 0;
        for (LimitCheck check : checks) {
            Admissions list = check.admissions[key];
            if (list != null) {
                System.arraycopy(list.sent, 0, sent, at, list.size);
                System.arraycopy(list.replied, 0, replied, at, list.size);
                at += list.size;
            }
        }
        Arrays.sort(sent);
        Arrays.sort(replied);
        for (int periods : PERIODS) {
            long stretch = (long) (limit.periodMillis() * 1e6 * periods * PACE);
            long most = most(sent, replied, stretch);
            if (most > limit.most(periods)) {
                violations.add(
                        Violations.Kind.LIMITS,
                        most - limit.most(periods),
                        "take of key " + key + ": " + most + " admitted within "
                                + limit.periodMillis() * periods + " ms, where " + limit.algorithm() + " admits "
                                + limit.most(periods) + " at most");
            }
        }
    }

    private static int size(@Nullable Admissions list) {
        return list == null ? 0 : list.size;
    }

    /** The most that surely took place within a stretch, from the two sorted lists; never too many. */
    private static long most(long[] sent, long[] replied, long stretch) {
        long most = 0;
        int end = 0;
        for (int begin = 0; begin < sent.length; begin++) {
            while (end < replied.length && replied[end] - sent[begin] <= stretch) {
                end++;
            }
            // Of those with a reply before the end, at most begin were sent before the begin.
            most = Math.max(most, end - begin);
        }
        return most;
    }
}
