package io.dshm.server.torture;

import io.dshm.server.history.Action;
import io.dshm.server.history.Operation;
import io.dshm.server.history.Result;
import io.dshm.server.history.Violation;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends the rounds, one after another, and has their histories checked while the run goes on. A round is read once more at
 * the end of the next one: what was acknowledged must still be there after the faults of that time.
 */
final class Judge {

    /** In which the last reads of a round have to succeed; there may be no majority just then. */
    private static final long LAST_READS_MILLIS = 20_000;

    private static final long FLUSHES_MILLIS = 5_000;
    private static final int RETRY_MILLIS = 200;

    private final Round.Sequence rounds;
    private final List<Workload> workloads;
    private final List<Client> clients;
    private final RegionLimits limits;
    private final Findings findings;
    private final long roundMillis;
    private final Deque<Round> ended = new ArrayDeque<>();
    private final Deque<Action.Flush> leftovers = new ArrayDeque<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "judge");

    /**
     * One that does nothing yet.
     *
     * @param limits of the workloads' regions
     * @param clients one through each node, for the last reads
     */
    Judge(
            Round.Sequence rounds,
            List<Workload> workloads,
            RegionLimits limits,
            List<Client> clients,
            Findings findings,
            long roundMillis) {
        this.rounds = rounds;
        this.workloads = workloads;
        this.limits = limits;
        this.clients = clients;
        this.findings = findings;
        this.roundMillis = roundMillis;
    }

    void start() {
        thread.start();
    }

    /** Has everything checked that is not yet. Nobody may be writing any more, and the cluster be whole. */
    void stop() throws InterruptedException {
        over.countDown();
        thread.join();
    }

    private void run() {
        try {
            boolean last;
            limits.set(1);
            do {
                limits.set(ended.isEmpty() ? 2 : ended.getLast().number() + 2);
                last = over.await(roundMillis, TimeUnit.MILLISECONDS);
                ended.add(rounds.next());
                while (ended.size() > (last ? 0 : 1)) {
                    close(ended.remove());
                }
            } while (!last);
        } catch (InterruptedException e) {
            // The whole run is given up.
            Thread.currentThread().interrupt();
        } finally {
            clients.forEach(Client::close);
        }
    }

    private void close(Round round) throws InterruptedException {
        rounds.awaitLeft(round);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_READS_MILLIS);
        for (Workload workload : workloads) {
            readAll(round, workload, deadline);
        }
        for (Violation violation : Checks.of(round.history())) {
            findings.add(violation.toString(), round.history());
        }
        for (Workload workload : workloads) {
            leftovers.add(new Action.Flush(workload.keys(round.number()).region()));
        }
        flushLeftovers(round.number());
        limits.lift(round.number());
    }

    /** What is not needed any more would only make every snapshot longer. What cannot be flushed now is later. */
    private void flushLeftovers(int first) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(FLUSHES_MILLIS);
        while (!leftovers.isEmpty()) {
            List<Operation> attempts = call(leftovers.element(), first, deadline);
            if (attempts.isEmpty() || !isAnswered(attempts.get(attempts.size() - 1))) {
                return;
            }
            leftovers.remove();
        }
    }

    private static boolean isAnswered(Operation operation) {
        return !(operation.result() instanceof Result.Unknown) && !(operation.result() instanceof Result.NotApplied);
    }

    /** One last read of each key, through any node. */
    private void readAll(Round round, Workload workload, long deadline) throws InterruptedException {
        Workload.Keys keys = workload.keys(round.number());
        for (int i = 0; i < keys.count(); i++) {
            call(new Action.Get(keys.get(i), Workload.STRONGEST), round.number() + i, deadline)
                    .forEach(round.history()::add);
        }
    }

    /** Tries until it is answered, or it is too late. Returns what came of it each time. */
    private List<Operation> call(Action action, int first, long deadline) throws InterruptedException {
        List<Operation> attempts = new ArrayList<>();
        for (int i = first; System.nanoTime() - deadline < 0; i++) {
            Client client = clients.get(i % clients.size());
            if (client.connect()) {
                List<Operation> operations = client.call(List.of(action));
                attempts.addAll(operations);
                if (isAnswered(operations.get(0))) {
                    return attempts;
                }
            }
            TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
        }
        return attempts;
    }
}
