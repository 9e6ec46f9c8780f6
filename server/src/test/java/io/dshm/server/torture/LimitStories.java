package io.dshm.server.torture;

import io.dshm.proto.Algorithm;
import io.dshm.server.history.Action;
import java.util.List;
import java.util.Random;

/** What clients do with limits. Each key has one algorithm and its numbers. */
final class LimitStories {

    static final int TAKES_KEYS = 8;
    static final int SHARES_KEYS = 4;

    private static final int PERMITS = 6;
    private static final int RESERVED = 7;
    private static final int PERMIT_MILLIS = 4_500;

    private static final int GRANTED = 3;

    /** A fixed window, and the period of the others. Two of them fit into a round. */
    private static final int WINDOW_MILLIS = 4_500;

    /** A node may get a quarter of it as a share. */
    private static final int SHARED_LIMIT = 600;

    private static final int CROWD_MILLIS = 2_500;
    private static final int FEW_MILLIS = 800;

    /** Shortly before the crowd comes. */
    private static final int LATE_FEW_MILLIS = 2 * WINDOW_MILLIS - 1_400;

    private LimitStories() {}

    /** Takes, of which some are refunded; reservations, of which most are settled; permits, of which most are released. */
    static List<Action> takes(Workload.Keys keys, Random random, long unique) {
        int key = random.nextInt(TAKES_KEYS);
        if (key == PERMITS) {
            String name = keys.get(key);
            Action.Acquire acquire = new Action.Acquire(name, 6, "h" + unique, PERMIT_MILLIS);
            return random.nextInt(3) == 0
                    ? List.of(acquire)
                    : List.of(acquire, new Action.Release(name, acquire.holder()));
        }
        int cost = 1 + random.nextInt(3);
        Action.Take take = take(keys, key, cost);
        if (key == RESERVED) {
            Action.Reserve reserve = new Action.Reserve(take, "h" + unique, 100 + random.nextInt(1_900));
            // Less, as much, or more.
            return random.nextInt(3) == 0
                    ? List.of(reserve)
                    : List.of(reserve, new Action.Settle(take.key(), reserve.hold(), random.nextInt(2 * cost)));
        }
        return switch (random.nextInt(12)) {
            case 0 -> List.of(take, take(keys, key, -1 - random.nextInt(cost)));
            case 1, 2 -> List.of(new Action.TakeAll(List.of(take(keys, 0, cost), take(keys, 1, 1), take(keys, 2, 1))));
            default -> List.of(take);
        };
    }

    private static Action.Take take(Workload.Keys keys, int key, int cost) {
        String name = keys.get(key);
        return switch (key) {
            case 0 -> new Action.Take(name, Algorithm.FIXED, 20, 5_000, 0, cost, false);
            case 1 -> new Action.Take(name, Algorithm.LOG, 15, 4_500, 0, cost, false);
            case 2 -> new Action.Take(name, Algorithm.GCRA, 30, 5_000, 9, cost, false);
            case 3 -> new Action.Take(name, Algorithm.COUNTER, 20, 4_500, 0, cost, false);
            case 4 -> new Action.Take(name, Algorithm.LEAKY, 30, 5_000, 9, cost, false);
            case 5 -> new Action.Take(name, Algorithm.FIXED, 1, 4_500, 0, 1, false);
            default -> new Action.Take(name, Algorithm.LOG, 20, 4_500, 0, cost, false);
        };
    }

    /**
     * In one window a crowd comes, in the next one few, early and late. So nodes ask for shares of which much is left when their lives end,
     * and when the crowd comes. When that is depends on this machine's clock, by which the cluster's began, and not on the seed.
     */
    static List<Action> shares(Workload.Keys keys, Random random, long unique) {
        int key = random.nextInt(SHARES_KEYS);
        String name = keys.get(key);
        if (key == GRANTED) {
            int want = 1 + random.nextInt(8);
            Action.Take take = new Action.Take(name, Algorithm.LOG, 40, 5_000, 0, want, false);
            Action.Grant grant = new Action.Grant(take, "h" + unique, 1 + random.nextInt(want));
            // The others die with their shares.
            return random.nextInt(3) == 0
                    ? List.of(grant)
                    : List.of(grant, new Action.Return(name, grant.holder(), 1 + random.nextInt(want)));
        }
        int cost = demand(System.currentTimeMillis() % (2 * WINDOW_MILLIS), random);
        return cost == 0
                ? List.of()
                : List.of(
                        switch (key) {
                            case 0 ->
                                new Action.Take(name, Algorithm.FIXED, SHARED_LIMIT, WINDOW_MILLIS, 0, cost, true);
                            case 1 -> new Action.Take(name, Algorithm.LOG, SHARED_LIMIT, WINDOW_MILLIS, 0, cost, true);
                            default ->
                                new Action.Take(name, Algorithm.GCRA, SHARED_LIMIT, WINDOW_MILLIS, 199, cost, true);
                        });
    }

    /** How many tokens somebody wants, 0 if nobody is there. */
    private static int demand(long millis, Random random) {
        if (millis < CROWD_MILLIS) {
            // Also such as only the log can give.
            return random.nextBoolean() ? 1 + random.nextInt(8) : 40 + random.nextInt(60);
        }
        boolean few = (millis >= WINDOW_MILLIS && millis < WINDOW_MILLIS + FEW_MILLIS)
                || (millis >= LATE_FEW_MILLIS && millis < LATE_FEW_MILLIS + FEW_MILLIS);
        return few ? 2 : random.nextInt(16) == 0 ? 1 : 0;
    }
}
