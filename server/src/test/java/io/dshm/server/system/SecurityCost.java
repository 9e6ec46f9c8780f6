package io.dshm.server.system;

import io.dshm.client.ClientTls;
import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What rights and TLS cost: the processor time of a node for each command, all ways in turns on one node, so that other load on the
 * machine is on all of them. Prints medians, and what 99 % of the rounds are within.
 */
public final class SecurityCost {

    private static final int CONNECTIONS = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** How clients come. All have said who they are: what is compared is what a command costs. */
    private enum Way {
        OFF("auth off"),
        ON("auth on"),
        TLS("auth on, TLS");

        private final String words;

        Way(String words) {
            this.words = words;
        }
    }

    @SuppressWarnings("ImmutableEnumChecker") // commands do not change
    private enum Load {
        GET_16("GET, pipeline 16", new Command.Get(Key.of("cost::k")), 16),
        GET_1("GET", new Command.Get(Key.of("cost::k")), 1),
        INCR_16("INCR, pipeline 16", new Command.Incr(Key.of("cost::n"), 1, 0, 0), 16);

        private final String words;
        private final Command command;
        private final int pipeline;

        Load(String words, Command command, int pipeline) {
            this.words = words;
            this.command = command;
            this.pipeline = pipeline;
        }
    }

    private final NodeProcess node;
    private final ClientTls tls;
    private final ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);

    private SecurityCost(NodeProcess node, Certificates certificates) throws Exception {
        this.node = node;
        this.tls = ClientTls.of(certificates.client());
    }

    /** {@code [ROUNDS [MILLIS]]}: 15 of a second each. */
    public static void main(String[] arguments) throws Exception {
        int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 15;
        long millis = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1_000;
        Path folder = Files.createTempDirectory("dshm-cost");
        Certificates certificates = new Certificates(folder.resolve("certificates")).node("n1", "127.0.0.1");
        NodeProcess node = new NodeProcess("n1", folder.resolve("n1"))
                .withJvm("-XX:TieredStopAtLevel=4", "-Xmx512m")
                .withCertificates(certificates)
                .withAdminToken()
                .withEnvironment("DSHM_TLS", "both");
        try {
            node.start();
            node.awaitHealthy();
            Secured.secure(node);
            new SecurityCost(node, certificates).measure(rounds, millis);
        } finally {
            node.dispose();
            NodeProcess.deleteTree(folder);
        }
        System.exit(0);
    }

    private void measure(int rounds, long millis) throws Exception {
        for (Load load : Load.values()) {
            Map<Way, List<Double>> micros = new EnumMap<>(Way.class);
            for (int round = -2; round < rounds; round++) {
                List<Way> order = new ArrayList<>(Arrays.asList(Way.values()));
                Collections.rotate(order, round);
                for (Way way : order) {
                    double taken = microsOf(load, way, millis);
                    if (round >= 0) {
                        micros.computeIfAbsent(way, any -> new ArrayList<>()).add(taken);
                    }
                }
            }
            for (Way way : Way.values()) {
                List<Double> sorted =
                        micros.getOrDefault(way, List.of()).stream().sorted().toList();
                System.out.printf(
                        Locale.ROOT,
                        "%-18s %-14s %6.2f us of the node's processor time a command (quarters: %.2f to %.2f)%n",
                        load.words,
                        way.words,
                        sorted.get(rounds / 2),
                        sorted.get(rounds / 4),
                        sorted.get(3 * rounds / 4));
            }
        }
    }

    private double microsOf(Load load, Way way, long millis) throws Exception {
        node.post(way == Way.OFF ? "/users/auth-off" : "/users/auth-on");
        List<DshmConnection> connections = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                connections.add(Secured.authenticate(
                        DshmConnection.connect(node.address(), way == Way.TLS ? tls : null, PATIENCE, PATIENCE)));
            }
            run(connections, load, millis / 10);
            Duration before = processorTime();
            long commands = run(connections, load, millis);
            return processorTime().minus(before).toNanos() / 1e3 / commands;
        } finally {
            for (DshmConnection connection : connections) {
                connection.close();
            }
        }
    }

    private Duration processorTime() {
        return ProcessHandle.of(node.pid())
                .flatMap(process -> process.info().totalCpuDuration())
                .orElseThrow();
    }

    private long run(List<DshmConnection> connections, Load load, long millis)
            throws InterruptedException, ExecutionException {
        long end = System.nanoTime() + millis * 1_000_000;
        List<Command> some = Collections.nCopies(load.pipeline, load.command);
        List<Future<Long>> counts = new ArrayList<>();
        for (DshmConnection connection : connections) {
            counts.add(threads.submit(() -> ask(connection, some, end)));
        }
        long sum = 0;
        for (Future<Long> count : counts) {
            sum += count.get();
        }
        return sum;
    }

    private static long ask(DshmConnection connection, List<Command> some, long end) throws IOException {
        long done = 0;
        while (System.nanoTime() - end < 0) {
            connection.sendAll(some);
            for (int i = 0; i < some.size(); i++) {
                String reply = connection.receive().toString();
                if (reply.contains("DENIED")) {
                    throw new IOException(reply);
                }
                done++;
            }
        }
        return done;
    }
}
