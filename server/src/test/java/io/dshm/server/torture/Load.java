package io.dshm.server.torture;

import io.dshm.server.history.Action;
import io.dshm.server.history.Operation;
import io.dshm.server.history.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * All clients of a run: through every node one for each workload with one operation at a time, and one that pipelines; and one
 * that reads whatever there is to be read, and never waits for long.
 */
final class Load {

    private static final int DEPTH_MAX = 6;
    private static final int RECONNECT_MILLIS = 100;

    private final Machines machines;
    private final Round.Sequence rounds;
    private final Tally tally;
    private final int pauseMillis;
    private final AtomicLong unique = new AtomicLong();
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();

    /**
     * Clients that do nothing yet.
     *
     * @param pauseMillis how long a client waits between two operations, on average
     */
    Load(Machines machines, List<Workload> workloads, Round.Sequence rounds, Tally tally, int pauseMillis, long seed) {
        this.machines = machines;
        this.rounds = rounds;
        this.tally = tally;
        this.pauseMillis = pauseMillis;
        for (Machine machine : machines.all()) {
            for (Workload workload : workloads) {
                for (int depthMax : List.of(1, workload.pipelines() ? DEPTH_MAX : 1)) {
                    int number = nextNumber();
                    Random random = new Random(seed + number);
                    add(
                            Client.patient(number, machine),
                            random,
                            workload.pauses(),
                            round -> actions(workload, round, 1 + random.nextInt(depthMax), random));
                }
            }
            List<Workload> readable = workloads.stream()
                    .filter(workload -> workload.isReadable(workload.keyCount() - 1))
                    .toList();
            if (!readable.isEmpty()) {
                int number = nextNumber();
                Random random = new Random(seed + number);
                add(Client.impatient(number, machine), random, 1, round -> {
                    Workload workload = readable.get(random.nextInt(readable.size()));
                    int key = random.nextInt(workload.keyCount());
                    return workload.isReadable(key)
                            ? List.of(
                                    new Action.Get(workload.keys(round.number()).get(key), Workload.STRONGEST))
                            : List.of();
                });
            }
        }
    }

    private int nextNumber() {
        return threads.size() + 1;
    }

    private void add(Client client, Random random, int pauses, Function<Round, List<Action>> script) {
        threads.add(new Thread(() -> run(client, random, pauses, script), "client-" + nextNumber()));
    }

    void start() {
        threads.forEach(Thread::start);
    }

    /** Lets all clients finish what they are at. */
    void stop() throws InterruptedException {
        over.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void run(Client client, Random random, int pauses, Function<Round, List<Action>> script) {
        try (client) {
            while (!over.await(random.nextInt(2 * pauses * pauseMillis), TimeUnit.MILLISECONDS)) {
                if (!client.connect()) {
                    over.await(RECONNECT_MILLIS, TimeUnit.MILLISECONDS);
                    continue;
                }
                Round round = rounds.enter();
                try {
                    run(client, script.apply(round), round);
                } finally {
                    rounds.leave(round);
                }
            }
        } catch (InterruptedException e) {
            // The whole run is given up.
            Thread.currentThread().interrupt();
        }
    }

    private List<Action> actions(Workload workload, Round round, int count, Random random) {
        Workload.Keys keys = workload.keys(round.number());
        List<Action> actions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            actions.addAll(workload.next(keys, random, unique.incrementAndGet()));
        }
        return actions;
    }

    private void run(Client client, List<Action> actions, Round round) {
        Availability availability = machines.availability();
        boolean hadMajority = availability.hasMajority();
        for (Operation operation : client.call(actions)) {
            round.history().add(operation);
            boolean isAnswer = operation.result() instanceof Result.Value || operation.result() instanceof Result.Done;
            if (isAnswer && !(operation.action() instanceof Action.Get)) {
                availability.onAcknowledged();
            }
            tally.count(operation, hadMajority && availability.hasMajority());
        }
    }
}
