package io.dshm.server.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.dshm.client.CommandFailedException;
import io.dshm.client.DshmConnection;
import io.dshm.proto.ReadMode;
import io.dshm.server.system.Await;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node that lost its data does not bring back a leader that it had helped to replace. */
@Tag("long")
class ForgottenTermIT {

    private static final int WRITES = 30;
    private static final Duration REPLY = Duration.ofSeconds(30);

    @Test
    void what_the_new_leader_acknowledged_is_kept_and_with_the_old_one_it_acknowledges_nothing()
            throws IOException, InterruptedException {
        Optional<String> lacking = TortureRun.lacking();
        assumeTrue(lacking.isEmpty(), () -> "this machine lacks " + lacking.orElseThrow());
        Site site = Site.build(TortureRun.of(0), Set.of(), gap -> {});
        try {
            run(site);
        } catch (IOException | AssertionError e) {
            for (Machine machine : site.machines().all()) {
                System.out.println(
                        "The log of " + machine + ":\n" + machine.node().log());
            }
            throw e;
        } finally {
            site.takeDown();
        }
    }

    private static DshmConnection connect(Machine machine) throws IOException {
        return machine.access().connect(machine.node().address(), REPLY, REPLY);
    }

    private static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    private static String read(DshmConnection connection, String key) throws IOException {
        return connection
                .get(key, ReadMode.LINEARIZABLE)
                .map(value -> new String(value, StandardCharsets.US_ASCII))
                .orElse("absent");
    }

    private static void run(Site site) throws IOException, InterruptedException {
        Machines machines = site.machines();
        for (Machine machine : machines.all()) {
            machine.electionTimeoutMillis(ForgottenTerm.LONG_MILLIS);
            machine.start();
        }
        for (Machine machine : machines.all()) {
            machine.awaitWhole();
        }
        machines.cluster().awaitLeader();
        site.access().begin(machines);
        ForgottenTerm fault =
                (ForgottenTerm) ForgottenTerm.plan(machines, new Random(1)).orElseThrow();
        fault.inject(next -> {
            try (DshmConnection connection = connect(next)) {
                for (int i = 1; i <= WRITES; i++) {
                    assertEquals(i, connection.incr("kept::n", 1));
                    connection.set("kept::" + i, bytes(i), Duration.ZERO);
                }
            }
        });
        Machine forgetful = fault.forgetful();
        try (DshmConnection connection = connect(fault.old())) {
            assertThrows(CommandFailedException.class, () -> connection.incr("other::n", 1));
            assertThrows(CommandFailedException.class, () -> read(connection, "kept::n"));
        }
        Await.until("it waits", () -> forgetful.node().health().contains("it waits for the terms of"));
        assertThrows(ConnectException.class, () -> connect(forgetful), "it takes no clients before it takes part");
        assertFalse(forgetful.isHealthy());
        fault.heal();
        for (Machine machine : machines.all()) {
            try (DshmConnection connection = connect(machine)) {
                assertEquals("" + WRITES, read(connection, "kept::n"));
                for (int i = 1; i <= WRITES; i++) {
                    assertEquals("" + i, read(connection, "kept::" + i));
                }
            }
        }
        machines.cluster().assertEqualDigests();
    }
}
