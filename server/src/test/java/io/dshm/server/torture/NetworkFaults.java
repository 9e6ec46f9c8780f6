package io.dshm.server.torture;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Faults of the network between nodes. Clients go on to reach all of them. */
final class NetworkFaults {

    private static final int ALL = 100;
    private static final int LOSS_PERCENT_MIN = 5;
    private static final int LOSS_PERCENT_MAX = 40;
    private static final int FLAP_MILLIS_MIN = 100;
    private static final int FLAP_MILLIS_MAX = 1_500;

    private NetworkFaults() {}

    /** A minority and the rest do not hear each other. */
    static Optional<Fault> cut(Machines machines, Random random) {
        List<Machine> shuffled = machines.shuffled(random);
        int minority = 1 + random.nextInt((shuffled.size() - 1) / 2);
        List<Link> links = bothWays(shuffled.subList(0, minority), shuffled.subList(minority, shuffled.size()));
        return Optional.of(new Drops(machines, "cut " + shuffled.subList(0, minority) + " off", links, ALL));
    }

    /** One node does not hear the others, or is not heard, or one does not hear one other. */
    static Optional<Fault> oneWay(Machines machines, Random random) {
        List<Machine> shuffled = machines.shuffled(random);
        List<Machine> one = shuffled.subList(0, 1);
        List<Machine> rest = shuffled.subList(1, shuffled.size());
        return Optional.of(
                switch (random.nextInt(3)) {
                    case 0 -> new Drops(machines, one + " hears nobody", oneWay(rest, one), ALL);
                    case 1 -> new Drops(machines, one + " is not heard", oneWay(one, rest), ALL);
                    default ->
                        new Drops(
                                machines, one + " does not hear " + rest.get(0), oneWay(rest.subList(0, 1), one), ALL);
                });
    }

    /** Two halves that do not hear each other, and one node that hears and is heard by all. */
    static Optional<Fault> bridge(Machines machines, Random random) {
        List<Machine> shuffled = machines.shuffled(random);
        int half = shuffled.size() / 2;
        List<Machine> left = shuffled.subList(0, half);
        List<Machine> right = shuffled.subList(half, 2 * half);
        return Optional.of(new Drops(machines, left + " and " + right + " not connected", bothWays(left, right), ALL));
    }

    /** Some packets are lost: those of one node, or everybody's. */
    static Optional<Fault> loss(Machines machines, Random random) {
        List<Machine> shuffled = machines.shuffled(random);
        int percent = random.nextInt(LOSS_PERCENT_MIN, LOSS_PERCENT_MAX);
        int some = random.nextBoolean() ? 1 : shuffled.size();
        return Optional.of(new Drops(
                machines,
                "loss of " + percent + " % around " + shuffled.subList(0, some),
                bothWays(shuffled.subList(0, some), shuffled),
                percent));
    }

    /** A node that is cut off and is not, in quick turns. */
    static Optional<Fault> flapping(Machines machines, Random random) {
        List<Machine> shuffled = machines.shuffled(random);
        return Optional.of(
                new Flapping(machines, shuffled.get(0), shuffled.subList(1, shuffled.size()), random.nextLong()));
    }

    private record Link(Machine from, Machine to) {}

    private static List<Link> oneWay(List<Machine> from, List<Machine> to) {
        List<Link> links = new ArrayList<>();
        for (Machine one : from) {
            for (Machine other : to) {
                if (one != other) {
                    links.add(new Link(one, other));
                }
            }
        }
        return links;
    }

    private static List<Link> bothWays(List<Machine> left, List<Machine> right) {
        List<Link> links = oneWay(left, right);
        links.addAll(oneWay(right, left));
        return links.stream().distinct().toList();
    }

    /** Packets that are dropped on some links. */
    private static class Drops implements Fault {

        private final Machines machines;
        private final String what;
        private final List<Link> links;
        private final int percent;
        final List<Network.Cut> cuts = new ArrayList<>();

        Drops(Machines machines, String what, List<Link> links, int percent) {
            this.machines = machines;
            this.what = what;
            this.links = links;
            this.percent = percent;
        }

        @Override
        public void inject() throws IOException, InterruptedException {
            for (Link link : links) {
                cuts.add(machines.network().cut(link.from().name(), link.to().name(), percent));
            }
            machines.availability().onChange();
        }

        @Override
        public void heal() throws IOException, InterruptedException {
            for (Network.Cut cut : cuts) {
                cut.heal();
            }
            machines.availability().onChange();
        }

        @Override
        public String toString() {
            return what;
        }
    }

    private static final class Flapping extends Drops {

        private final Random random;
        private final Thread thread = new Thread(this::flap, "flapping");
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile @Nullable Exception failure;

        Flapping(Machines machines, Machine victim, List<Machine> others, long seed) {
            super(machines, "links of " + victim + " flap", bothWays(List.of(victim), others), ALL);
            random = new Random(seed);
        }

        @Override
        public void inject() throws IOException, InterruptedException {
            super.inject();
            thread.start();
        }

        private void flap() {
            try {
                for (boolean drop = false;
                        !over.await(random.nextInt(FLAP_MILLIS_MIN, FLAP_MILLIS_MAX), TimeUnit.MILLISECONDS);
                        drop = !drop) {
                    for (Network.Cut cut : cuts) {
                        cut.lose(drop ? ALL : 0);
                    }
                }
            } catch (IOException | InterruptedException e) {
                failure = e;
            }
        }

        @Override
        public void heal() throws IOException, InterruptedException {
            over.countDown();
            thread.join();
            super.heal();
            Exception failed = failure;
            if (failed != null) {
                throw new IOException(failed);
            }
        }
    }
}
