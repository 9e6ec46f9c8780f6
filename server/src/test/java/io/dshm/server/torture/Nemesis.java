package io.dshm.server.torture;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Injects faults and heals them, several at a time: each of its hands has one fault after the other, with a rest between.
 * What they do, to whom and for how long follows from the seed, as far as it is not the run's own timing that decides
 * which machines are free.
 */
final class Nemesis {

    private static final int REST_MILLIS_MIN = 200;
    private static final int REST_MILLIS_MAX = 3_000;
    private static final int RETRY_MILLIS = 100;
    private static final int ATTEMPTS_MAX = 150;

    private final Machines machines;
    private final List<FaultKind> kinds;
    private final Consumer<String> log;
    private final Consumer<String> violations;
    private final List<Thread> hands = new ArrayList<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private final Map<FaultKind, Integer> counts = new EnumMap<>(FaultKind.class);
    private final List<Fault> active = new ArrayList<>();

    /**
     * One that does nothing yet.
     *
     * @param log gets a line for each thing that is done
     * @param violations gets what nodes did that they must not do
     */
    Nemesis(
            Machines machines,
            List<FaultKind> kinds,
            int hands,
            long seed,
            Consumer<String> log,
            Consumer<String> violations) {
        this.machines = machines;
        this.kinds = kinds;
        this.log = log;
        this.violations = violations;
        for (int i = 0; i < hands; i++) {
            Random random = new Random(seed + i);
            this.hands.add(new Thread(() -> run(random), "nemesis-" + i));
        }
    }

    void start() {
        hands.forEach(Thread::start);
    }

    /** Lets it heal what it has in hand; returns when all is whole again. */
    void stop() throws InterruptedException {
        over.countDown();
        for (Thread hand : hands) {
            hand.join();
        }
    }

    private void run(Random random) {
        Deque<FaultKind> turn = new ArrayDeque<>();
        try {
            while (!over.await(random.nextInt(REST_MILLIS_MIN, REST_MILLIS_MAX), TimeUnit.MILLISECONDS)) {
                if (turn.isEmpty()) {
                    List<FaultKind> shuffled = new ArrayList<>(kinds);
                    Collections.shuffle(shuffled, random);
                    turn.addAll(shuffled);
                }
                FaultKind kind = turn.remove();
                Optional<Fault> fault = plan(kind, random);
                if (fault.isPresent()) {
                    run(kind, fault.get(), kind.pickMillis(random));
                }
            }
        } catch (InterruptedException e) {
            // The whole run is given up, and its machines with it.
            Thread.currentThread().interrupt();
        }
    }

    /** Some can only be done while the other hands are empty: waits for such a moment, but not for long. */
    private Optional<Fault> plan(FaultKind kind, Random random) throws InterruptedException {
        Optional<Fault> fault = kind.plan(machines, random);
        for (int i = 0; fault.isEmpty() && i < ATTEMPTS_MAX && !over.await(RETRY_MILLIS, TimeUnit.MILLISECONDS); i++) {
            fault = kind.plan(machines, random);
        }
        return fault;
    }

    private void run(FaultKind kind, Fault fault, int millis) throws InterruptedException {
        change(kind, fault, true);
        try {
            log.accept(fault + ", for " + millis + " ms");
            fault.inject();
            boolean ends = over.await(millis, TimeUnit.MILLISECONDS);
            log.accept(fault + ": to be healed" + (ends ? ", as the run ends" : ""));
            fault.heal();
            log.accept(fault + ": healed");
        } catch (Exception | AssertionError e) {
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            violations.accept(fault + ": " + describe(e));
        } finally {
            change(kind, fault, false);
        }
    }

    private static String describe(Throwable failure) {
        @Nullable Throwable cause = failure.getCause();
        return failure.getMessage() + (cause == null ? "" : " (" + cause + ")");
    }

    private synchronized void change(FaultKind kind, Fault fault, boolean begins) {
        if (begins) {
            active.add(fault);
            counts.merge(kind, 1, Integer::sum);
        } else {
            active.remove(fault);
        }
    }

    /** How often each fault was injected. */
    synchronized Map<FaultKind, Integer> counts() {
        return new EnumMap<>(counts);
    }

    /** What goes on now. */
    synchronized List<String> active() {
        return active.stream().map(Object::toString).toList();
    }
}
