package io.dshm.server.torture;

import io.dshm.server.system.Await;
import io.dshm.server.system.NodeProcess;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Members come and go, as an operator has it, whatever else happens meanwhile. */
final class MemberFaults {

    /** How long the other faults may keep a change from being made. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private static final String NO_MEMBER = "no member has the name";

    private MemberFaults() {}

    /** A node is removed and loses its data; later it is added, gets the data, and votes again. */
    static Optional<Fault> removed(Machines machines, Random random) throws InterruptedException {
        return machines.takeToDamage(random).map(victim -> new Fault() {

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                ask(machines, "remove", victim.name());
                victim.node().kill();
                victim.node().deleteData();
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                ask(machines, "add", victim.node().member());
                victim.start();
                ask(machines, "promote", victim.name());
                victim.awaitWhole();
                machines.release(List.of(victim));
            }

            @Override
            public String toString() {
                return victim + " is removed, loses its data, and is added";
            }
        });
    }

    /** Asks whoever leads, again and again: each of these requests may be repeated. */
    private static void ask(Machines machines, String action, String member) throws InterruptedException {
        String path = "/cluster/" + action + "?member=" + URLEncoder.encode(member, StandardCharsets.UTF_8);
        Await.until("the leader does " + action + " " + member, PATIENCE, () -> {
            for (Machine machine : machines.all()) {
                if (machine.leads() && isDone(machine.node(), path)) {
                    return true;
                }
            }
            return false;
        });
    }

    private static boolean isDone(NodeProcess leader, String path) {
        try {
            String answer = leader.post(path);
            boolean done = answer.contains("\"message\"") && !answer.contains("\"error\"");
            return done || answer.contains(NO_MEMBER);
        } catch (IOException e) {
            // Another fault has it.
            return false;
        }
    }
}
