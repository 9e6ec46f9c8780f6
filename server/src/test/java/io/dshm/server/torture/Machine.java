package io.dshm.server.torture;

import io.dshm.server.system.Await;
import io.dshm.server.system.NodeProcess;
import io.dshm.server.system.WallClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A node, and the machine around it: what the faults work on. One fault at a time has a machine in its hands, and only
 * that one starts, stops or damages anything on it; see {@link Machines#take}.
 */
final class Machine {

    /** Exit status of a node that stopped to protect the data. */
    static final int FATAL = 70;

    /** How long a node may take until it takes part; other faults may keep it from getting its data back all the while. */
    private static final Duration START = Duration.ofMinutes(10);

    private final NodeProcess node;
    private final Path folder;
    private final @Nullable Disk disk;
    private final @Nullable WallClock clock;
    private final Access access;
    private final Availability availability;

    /** The node's election timeout in milliseconds, 0 for the usual one. */
    private int electionTimeoutMillis;

    /** Of a start after which it does not take part yet, else 0. */
    private long startedNanos;

    private boolean off;

    /** A machine that is off; the folder is for whatever comes up, outside of its disk. */
    Machine(
            NodeProcess node,
            Path folder,
            @Nullable Disk disk,
            @Nullable WallClock clock,
            Access access,
            Availability availability) {
        this.node = node;
        this.folder = folder;
        this.disk = disk;
        this.clock = clock;
        this.access = access;
        this.availability = availability;
    }

    NodeProcess node() {
        return node;
    }

    Path folder() {
        return folder;
    }

    /** How it is reached. */
    Access access() {
        return access;
    }

    /** Asks the node for a change; what it answers, which is nothing if a fault has it. */
    String ask(String path) {
        try {
            return node.post(path);
        } catch (IOException e) {
            return "";
        }
    }

    /** Whether that answer says that the change was made. */
    static boolean isDone(String answer) {
        return answer.contains("\"message\"") && !answer.contains("\"error\"");
    }

    String name() {
        return node.name();
    }

    /** Only where the faults that need it can be had. */
    Disk disk() {
        if (disk == null) {
            throw new IllegalStateException(name() + " has no disk of its own");
        }
        return disk;
    }

    /** Only where the faults that need it can be had. */
    WallClock clock() {
        if (clock == null) {
            throw new IllegalStateException(name() + " has no wall clock of its own");
        }
        return clock;
    }

    /** The node's election timeout, from its next start on. */
    void electionTimeoutMillis(int millis) {
        electionTimeoutMillis = millis;
        node.withEnvironment("DSHM_ELECTION_TIMEOUT_MILLIS", "" + millis);
    }

    /** The node's election timeout in milliseconds, 0 for the usual one. */
    int electionTimeoutMillis() {
        return electionTimeoutMillis;
    }

    /** SIGKILL, and a new start at once; returns when the node takes part again. */
    void restart() throws IOException, InterruptedException {
        impair();
        node.kill();
        start();
        awaitWhole();
    }

    /** Nobody may count on this node from now on, until {@link #awaitWhole}. */
    void impair() {
        availability.impair(name());
    }

    /** Starts the node. Returns at once: see {@link #awaitWhole}. */
    synchronized void start() throws IOException {
        if (off) {
            throw new IOException("the run is over");
        }
        startedNanos = System.nanoTime();
        node.start();
    }

    /** Ends the node for good. */
    synchronized void switchOff() throws InterruptedException {
        off = true;
        node.kill();
    }

    /** Waits until the node takes part again: it votes, and has caught up since it started. */
    void awaitWhole() throws InterruptedException {
        Await.until(name() + " takes part", START, () -> {
            if (!node.isAlive()) {
                throw new AssertionError(
                        name() + " has ended with status " + node.awaitEnd() + " and these words: " + lastWords());
            }
            return takesPart();
        });
        availability.repair(name());
        if (startedNanos != 0) {
            availability.onRecovered(System.nanoTime() - startedNanos);
            startedNanos = 0;
        }
    }

    /** The same, after something for which it may have stopped with exit status 70: then it is started. */
    void awaitWholeOrRestart() throws IOException, InterruptedException {
        Await.until(name() + " takes part or has ended", START, () -> !node.isAlive() || takesPart());
        if (!node.isAlive()) {
            assertEnded(FATAL);
            start();
        }
        awaitWhole();
    }

    /** Waits until the node has ended by itself, and asserts that it did so with this exit status. */
    void assertEnded(int expected) throws IOException, InterruptedException {
        int status = node.awaitEnd();
        if (status != expected) {
            throw new AssertionError(name() + " has ended with status " + status + " instead of " + expected
                    + " and these words: " + lastWords());
        }
    }

    private String lastWords() throws IOException {
        return node.log().lines().reduce("nothing", (before, line) -> line);
    }

    /** Whether it runs, votes, and has caught up since it started. */
    boolean isHealthy() {
        try {
            return node.isAlive() && takesPart();
        } catch (IOException e) {
            return false;
        }
    }

    private boolean takesPart() throws IOException {
        Map<String, String> status = node.status();
        return "true".equals(status.get("votes")) && "true".equals(status.get("upToDate"));
    }

    long appliedIndex() throws IOException {
        return Long.parseLong(node.status().getOrDefault("appliedIndex", "0"));
    }

    /** Whether this node holds itself for the leader. */
    boolean leads() {
        try {
            return node.isAlive() && "true".equals(node.status().get("leads"));
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return name();
    }
}
