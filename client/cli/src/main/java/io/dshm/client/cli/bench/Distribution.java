package io.dshm.client.cli.bench;

import java.util.SplittableRandom;

/** Which keys of a key space are asked for how often. */
public abstract class Distribution {

    private static final double ZIPF_DEFAULT = 0.99;

    private final String name;

    private Distribution(String name) {
        this.name = name;
    }

    /** The next key, 0 to count - 1. */
    abstract int next(SplittableRandom random, int count);

    /**
     * Reads {@code uniform}, {@code zipf}, {@code zipf:EXPONENT} or {@code hot:KEYS:PERCENT}.
     *
     * @throws IllegalArgumentException if it is none, with a message for the user
     */
    public static Distribution parse(String text) {
        String[] parts = text.split(":", -1);
        if (text.equals("uniform")) {
            return new Uniform();
        }
        if (parts[0].equals("zipf") && parts.length <= 2) {
            String exponent = parts.length == 1 ? String.valueOf(ZIPF_DEFAULT) : parts[1];
            if (exponent.matches("[0-9](\\.[0-9]{1,6})?") && Double.parseDouble(exponent) > 0) {
                return new Zipf(Double.parseDouble(exponent));
            }
        }
        if (parts[0].equals("hot")
                && parts.length == 3
                && parts[1].matches("[1-9][0-9]{0,8}")
                && parts[2].matches("[0-9]{1,2}|100")) {
            return new Hot(Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
        }
        throw new IllegalArgumentException("--distribution is uniform, zipf, zipf:EXPONENT (above 0, below 10) or"
                + " hot:KEYS:PERCENT (so many keys get so many percent of the requests), not '" + text + "'");
    }

    @Override
    public String toString() {
        return name;
    }

    private static final class Uniform extends Distribution {

        Uniform() {
            super("uniform");
        }

        @Override
        int next(SplittableRandom random, int count) {
            return random.nextInt(count);
        }
    }

    /** Some keys are hot, and equally so; the rest of the requests go to the other keys. */
    private static final class Hot extends Distribution {

        private static final int ALL = 100;

        private final int keys;
        private final int percent;

        Hot(int keys, int percent) {
            super("hot:" + keys + ":" + percent);
            this.keys = keys;
            this.percent = percent;
        }

        @Override
        int next(SplittableRandom random, int count) {
            if (keys >= count) {
                return random.nextInt(count);
            }
            return random.nextInt(ALL) < percent ? random.nextInt(keys) : keys + random.nextInt(count - keys);
        }
    }

    /**
     * The key of rank k, from 1, has a share proportional to 1/k^exponent. By rejection from the integral of that
     * function (Hörmann and Derflinger), so that a large key space needs no table.
     */
    private static final class Zipf extends Distribution {

        private final double exponent;

        Zipf(double exponent) {
            super("zipf:" + exponent);
            this.exponent = exponent;
        }

        @Override
        int next(SplittableRandom random, int count) {
            double low = integral(1.5) - 1;
            double high = integral(count + 0.5);
            while (true) {
                double u = high + random.nextDouble() * (low - high);
                double x = inverse(u);
                int rank = (int) Math.min(count, Math.max(1, Math.round(x)));
                if (u >= integral(rank + 0.5) - Math.pow(rank, -exponent)) {
                    return rank - 1;
                }
            }
        }

        private double integral(double x) {
            return exponent == 1 ? Math.log(x) : (Math.pow(x, 1 - exponent) - 1) / (1 - exponent);
        }

        private double inverse(double y) {
            return exponent == 1 ? Math.exp(y) : Math.pow(Math.max(0, 1 + y * (1 - exponent)), 1 / (1 - exponent));
        }
    }
}
