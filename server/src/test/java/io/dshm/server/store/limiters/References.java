package io.dshm.server.store.limiters;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What the algorithms promise, from the list of all that was admitted, in numbers without end; written from their definitions and
 * without a look at the code. The numbers of all calls are the same.
 */
public abstract class References {

    public record Grant(long atMillis, long cost) {}

    final Quota quota;
    public final List<Grant> grants = new ArrayList<>();

    References(Quota quota) {
        this.quota = quota;
    }

    public static References of(Algorithm algorithm, Quota quota) {
        return switch (algorithm) {
            case FIXED -> new OfFixed(quota);
            case LOG -> new OfLog(quota);
            case COUNTER -> new OfCounter(quota);
            case GCRA, LEAKY -> new OfGcra(quota);
        };
    }

    /** A seed that can be given as a system property, to repeat what failed. */
    static long seed() {
        return Long.getLong("dshm.seed", new Random().nextLong());
    }

    /** Whether this cost, above 0, is to be admitted. */
    public abstract boolean admits(long clockMillis, long cost);

    /** The most that may be admitted in any stretch of time as long as the period; of aligned ones, where only these count. */
    abstract BigInteger windowMax();

    boolean alignedOnly() {
        return false;
    }

    BigInteger admittedIn(long from, long to) {
        return grants.stream()
                .filter(grant -> grant.atMillis >= from && grant.atMillis < to)
                .map(grant -> BigInteger.valueOf(grant.cost))
                .reduce(BigInteger.ZERO, BigInteger::add);
    }

    /** Whether no window that ends with the last grant holds too much: all others have been looked at before. */
    boolean lastWindowHolds() {
        long last = grants.get(grants.size() - 1).atMillis;
        long period = quota.periodMillis();
        long from = alignedOnly() ? Math.floorDiv(last, period) * period : last - period + 1;
        return admittedIn(from, from + period).compareTo(windowMax()) <= 0;
    }

    final BigInteger limit() {
        return BigInteger.valueOf(quota.limit());
    }

    private static final class OfFixed extends References {

        OfFixed(Quota quota) {
            super(quota);
        }

        @Override
        public boolean admits(long clockMillis, long cost) {
            long from = Math.floorDiv(clockMillis, quota.periodMillis()) * quota.periodMillis();
            return admittedIn(from, from + quota.periodMillis())
                            .add(BigInteger.valueOf(cost))
                            .compareTo(limit())
                    <= 0;
        }

        @Override
        BigInteger windowMax() {
            return limit();
        }

        @Override
        boolean alignedOnly() {
            return true;
        }
    }

    private static final class OfLog extends References {

        OfLog(Quota quota) {
            super(quota);
        }

        @Override
        public boolean admits(long clockMillis, long cost) {
            return admittedIn(clockMillis - quota.periodMillis() + 1, clockMillis + 1)
                            .add(BigInteger.valueOf(cost))
                            .compareTo(limit())
                    <= 0;
        }

        @Override
        BigInteger windowMax() {
            return limit();
        }
    }

    private static final class OfCounter extends References {

        OfCounter(Quota quota) {
            super(quota);
        }

        @Override
        public boolean admits(long clockMillis, long cost) {
            long period = quota.periodMillis();
            long from = Math.floorDiv(clockMillis, period) * period;
            BigInteger before = admittedIn(from - period, from);
            BigInteger now = admittedIn(from, from + period).add(BigInteger.valueOf(cost));
            BigInteger overlap = BigInteger.valueOf(from + period - clockMillis);
            BigInteger weighted = before.multiply(overlap).add(now.multiply(BigInteger.valueOf(period)));
            return weighted.compareTo(limit().multiply(BigInteger.valueOf(period))) <= 0;
        }

        @Override
        BigInteger windowMax() {
            return limit();
        }

        @Override
        boolean alignedOnly() {
            return true;
        }
    }

    /** By the theoretical arrival time, in parts of a millisecond of which there are as many as the limit. */
    private static final class OfGcra extends References {

        OfGcra(Quota quota) {
            super(quota);
        }

        @Override
        public boolean admits(long clockMillis, long cost) {
            BigInteger arrival = null;
            for (Grant grant : grants) {
                arrival = next(arrival, grant.atMillis, grant.cost);
            }
            BigInteger tolerance =
                    BigInteger.valueOf(quota.burst() + 1).multiply(BigInteger.valueOf(quota.periodMillis()));
            return next(arrival, clockMillis, cost)
                            .compareTo(BigInteger.valueOf(clockMillis)
                                    .multiply(limit())
                                    .add(tolerance))
                    <= 0;
        }

        private BigInteger next(@org.jspecify.annotations.Nullable BigInteger arrival, long atMillis, long cost) {
            BigInteger now = BigInteger.valueOf(atMillis).multiply(limit());
            BigInteger from = arrival == null ? now : arrival.max(now);
            return from.add(BigInteger.valueOf(cost).multiply(BigInteger.valueOf(quota.periodMillis())));
        }

        @Override
        BigInteger windowMax() {
            return limit().add(BigInteger.valueOf(quota.burst()));
        }
    }
}
