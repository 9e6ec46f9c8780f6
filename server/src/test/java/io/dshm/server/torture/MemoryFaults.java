package io.dshm.server.torture;

import io.dshm.proto.ErrorCode;
import io.dshm.server.history.Action;
import io.dshm.server.history.Result;
import io.dshm.server.system.Await;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** All memory of the cluster is full for a while, for everybody. It has no machine in hand: the nodes run on. */
final class MemoryFaults implements Fault {

    /** What all state of a run may take: several times what the workloads need. */
    static final long MEMORY_BYTES = 16L * 1024 * 1024;

    private static final int VALUE_BYTES = 256 * 1024;

    /** Twice what fits. */
    private static final int VALUES_MAX = (int) (2 * MEMORY_BYTES / VALUE_BYTES);

    /** How long the other faults may keep the region from being emptied. */
    private static final Duration EMPTIED = Duration.ofMinutes(10);

    private static final Result OUT_OF_MEMORY = new Result.NotApplied(ErrorCode.OUT_OF_MEMORY.wireName());

    /** One through each node, asked in turn. */
    private final List<Client> clients;

    /** Of its own: another one of this kind may come and go meanwhile. */
    private final String region;

    private int turn;

    private MemoryFaults(List<Client> clients, String region) {
        this.clients = clients;
        this.region = region;
    }

    static Optional<Fault> full(Machines machines, Random random) {
        List<Client> clients = machines.all().stream()
                .map(machine -> Client.patient(0, machine))
                .toList();
        return Optional.of(new MemoryFaults(clients, "ballast-" + random.nextInt(Integer.MAX_VALUE)));
    }

    /** Writes until it is refused, as far as the other faults let it; then an existing number must still be counted on. */
    @Override
    public void inject() {
        boolean counts = isDone(count());
        for (int i = 0; i < VALUES_MAX; i++) {
            Result result = ask(new Action.Set(region + "::" + i, Values.large(i, VALUE_BYTES), 0));
            if (result.equals(OUT_OF_MEMORY)) {
                if (counts && count().equals(OUT_OF_MEMORY)) {
                    throw new AssertionError("with the memory full, a number that exists is not counted on");
                }
                return;
            }
        }
    }

    private Result count() {
        return ask(new Action.Incr(region + "::counter", 1, 0, 0));
    }

    @Override
    public void heal() throws InterruptedException {
        Await.until("the region " + region + " is emptied", EMPTIED, () -> isDone(ask(new Action.Flush(region))));
        clients.forEach(Client::close);
    }

    private static boolean isDone(Result result) {
        return result instanceof Result.Done || result instanceof Result.Value;
    }

    private Result ask(Action action) {
        Client client = clients.get(turn++ % clients.size());
        return client.connect() ? client.call(List.of(action)).get(0).result() : new Result.NotApplied("not connected");
    }

    @Override
    public String toString() {
        return "the memory of all is full";
    }
}
