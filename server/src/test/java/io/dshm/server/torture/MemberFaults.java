package io.dshm.server.torture;

import io.dshm.server.system.Await;
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

    /** How a node leaves and comes back. */
    private enum Way {
        /** It is removed, ends and loses its data; later it is added, gets the data, and votes again. */
        REPLACED("is removed, loses its data, and is added"),
        /** The same, and it is a learner all the while. */
        LEARNS("is removed, and comes back without its data as a learner"),
        /** The same as the first, but it runs on after it was removed. */
        RUNS_ON("is removed, runs on, loses its data, and is added");

        private final String words;

        Way(String words) {
            this.words = words;
        }
    }

    /** A node is no member for a while, or no voter. */
    static Optional<Fault> removed(Machines machines, Random random) throws InterruptedException {
        Way drawn = Way.values()[random.nextInt(Way.values().length)];
        return machines.takeToDamage(random).map(victim -> removed(machines, victim, drawn));
    }

    private static Fault removed(Machines machines, Machine victim, Way drawn) {
        Way way = drawn == Way.RUNS_ON && !machines.takeClock(victim) ? Way.REPLACED : drawn;
        return new Fault() {

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                ask(machines, "remove", victim.name());
                if (way != Way.RUNS_ON) {
                    loseData();
                }
                if (way == Way.LEARNS) {
                    comeBack();
                }
            }

            private void loseData() throws IOException, InterruptedException {
                victim.node().kill();
                victim.node().deleteData();
            }

            private void comeBack() throws IOException, InterruptedException {
                ask(machines, "add", victim.node().member());
                victim.start();
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                if (way == Way.RUNS_ON) {
                    loseData();
                    machines.releaseClock(victim);
                }
                if (way != Way.LEARNS) {
                    comeBack();
                }
                ask(machines, "promote", victim.name());
                victim.awaitWhole();
                machines.release(List.of(victim));
            }

            @Override
            public String toString() {
                return victim + " " + way.words;
            }
        };
    }

    /** Asks whoever leads, again and again: each of these requests may be repeated. */
    private static void ask(Machines machines, String action, String member) throws InterruptedException {
        String path = "/cluster/" + action + "?member=" + URLEncoder.encode(member, StandardCharsets.UTF_8);
        Await.until("the leader does " + action + " " + member, PATIENCE, () -> {
            for (Machine machine : machines.all()) {
                if (machine.leads()) {
                    String answer = machine.ask(path);
                    if (Machine.isDone(answer) || answer.contains(NO_MEMBER)) {
                        return true;
                    }
                }
            }
            return false;
        });
    }
}
