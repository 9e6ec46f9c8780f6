package io.dshm.server.torture;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.server.system.Await;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;

/** All memory of the cluster is full for a while, for everybody. It has no machine in hand: what that does to nodes is nothing. */
final class MemoryFaults implements Fault {

    /** What all state of a run may take: several times what the workloads need. */
    static final long MEMORY_BYTES = 16L * 1024 * 1024;

    private static final int VALUE_BYTES = 256 * 1024;

    /** Twice what fits. */
    private static final int VALUES_MAX = (int) (2 * MEMORY_BYTES / VALUE_BYTES);

    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(8);

    /** How long the other faults may keep the region from being emptied. */
    private static final Duration EMPTIED = Duration.ofMinutes(10);

    private final Machines machines;

    /** Of its own: another one of this kind may come and go meanwhile. */
    private final String region;

    private int turn;

    private MemoryFaults(Machines machines, String region) {
        this.machines = machines;
        this.region = region;
    }

    static Optional<Fault> full(Machines machines, Random random) {
        return Optional.of(new MemoryFaults(machines, "ballast-" + random.nextInt(Integer.MAX_VALUE)));
    }

    /** Writes until it is refused, as far as the other faults let it; then an existing number must still be counted on. */
    @Override
    public void inject() {
        boolean counts = isDone(count());
        for (int i = 0; i < VALUES_MAX; i++) {
            Reply reply = ask(new Command.Set(Key.of(region + "::" + i), 0, new byte[VALUE_BYTES]));
            if (isOutOfMemory(reply)) {
                if (counts && isOutOfMemory(count())) {
                    throw new AssertionError("with the memory full, a number that exists is not counted on");
                }
                return;
            }
        }
    }

    private Reply count() {
        return ask(new Command.Incr(Key.of(region + "::counter"), 1, 0, 0));
    }

    @Override
    public void heal() throws InterruptedException {
        Await.until(
                "the region " + region + " is emptied",
                EMPTIED,
                () -> isDone(ask(new Command.FlushAll(region.getBytes(StandardCharsets.UTF_8)))));
    }

    private static boolean isOutOfMemory(Reply reply) {
        return reply instanceof Reply.Failure failure && failure.code() == ErrorCode.OUT_OF_MEMORY;
    }

    private static boolean isDone(Reply reply) {
        return !(reply instanceof Reply.Failure);
    }

    /** Asks one node after another; a broken connection counts as a failure whose outcome is unknown. */
    private Reply ask(Command command) {
        Machine machine = machines.all().get(turn++ % machines.all().size());
        try (DshmConnection connection = machine.access().connect(machine.node().address(), CONNECT, PATIENCE)) {
            return connection.call(command);
        } catch (IOException e) {
            return new Reply.Failure(ErrorCode.TIMEOUT, null);
        }
    }

    @Override
    public String toString() {
        return "the memory of all is full";
    }
}
