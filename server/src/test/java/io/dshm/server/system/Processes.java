package io.dshm.server.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The processes of a test, or of all tests of a class: stopped in the end whatever happens, and if a test fails, the ends
 * of their logs are printed.
 */
final class Processes implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    private static final int LOG_LINES = 40;

    private final boolean shared;
    private final List<NodeProcess> nodes = new ArrayList<>();
    private final List<NginxProcess> webServers = new ArrayList<>();
    private final List<PhpServer> phpServers = new ArrayList<>();
    private Path folder = Path.of("target/system");
    private int clusters;

    private Processes(boolean shared) {
        this.shared = shared;
        // For the case that the tests are interrupted.
        Runtime.getRuntime().addShutdownHook(new Thread(this::stopAll, "stop-processes"));
    }

    /** In a field that is not static: each test has processes of its own. */
    static Processes perTest() {
        return new Processes(false);
    }

    /** In a static field: the tests of the class share them. */
    static Processes perClass() {
        return new Processes(true);
    }

    /** Three nodes that are to be started. */
    synchronized ClusterProcess newCluster() {
        return newCluster("127.0.0.1");
    }

    /** Three nodes on this address that are to be started. */
    synchronized ClusterProcess newCluster(String host) {
        ClusterProcess cluster = new ClusterProcess(nextFolder(), host);
        nodes.addAll(cluster.nodes());
        return cluster;
    }

    /** A node of a test's own making, that is to be started. */
    synchronized NodeProcess newNode() {
        NodeProcess node = new NodeProcess("n1", nextFolder().resolve("n1"));
        nodes.add(node);
        return node;
    }

    /** A web server that runs beside this node, and knows the others. */
    synchronized NginxProcess startNginx(NodeProcess node, List<NodeProcess> others)
            throws IOException, InterruptedException {
        NginxProcess nginx = new NginxProcess(folder.resolve("nginx-" + node.name()), node, others);
        webServers.add(nginx);
        nginx.start();
        return nginx;
    }

    /** A PHP that serves the test's pages, with this environment. */
    synchronized PhpServer startPhp(Map<String, String> environment) throws IOException, InterruptedException {
        PhpServer php = new PhpServer(folder.resolve("php-" + (phpServers.size() + 1)), environment);
        phpServers.add(php);
        php.start();
        return php;
    }

    private Path nextFolder() {
        return folder.resolve("" + ++clusters).toAbsolutePath();
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        folder = Path.of("target/system", context.getRequiredTestClass().getSimpleName());
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        if (!shared) {
            folder = Path.of(
                    "target/system",
                    context.getRequiredTestClass().getSimpleName(),
                    context.getRequiredTestMethod().getName());
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        context.getExecutionException().ifPresent(failure -> printLogs(context.getDisplayName()));
        if (!shared) {
            stopAll();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        context.getExecutionException().ifPresent(failure -> printLogs(context.getDisplayName()));
        stopAll();
    }

    private synchronized void stopAll() {
        try {
            for (NginxProcess nginx : webServers) {
                nginx.stop();
            }
            for (PhpServer php : phpServers) {
                php.stop();
            }
            for (NodeProcess node : nodes) {
                node.dispose();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        webServers.clear();
        phpServers.clear();
        nodes.clear();
    }

    private synchronized void printLogs(String test) {
        StringBuilder out = new StringBuilder("\n===== " + test + " failed; what its processes said last\n");
        try {
            for (NodeProcess node : nodes) {
                append(out, node + (node.isAlive() ? "" : " (not running)"), node.log());
            }
            for (NginxProcess nginx : webServers) {
                append(out, nginx.toString(), nginx.log());
            }
            for (PhpServer php : phpServers) {
                append(out, php.toString(), php.log());
            }
        } catch (IOException e) {
            out.append(e);
        }
        System.out.println(out);
    }

    private static void append(StringBuilder out, String who, String log) {
        List<String> lines = log.lines().toList();
        out.append("===== ").append(who).append('\n');
        lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size())
                .forEach(line -> out.append(line).append('\n'));
    }
}
