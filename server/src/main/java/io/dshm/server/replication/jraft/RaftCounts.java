package io.dshm.server.replication.jraft;

import io.dshm.server.counters.Distribution;
import io.dshm.server.counters.Tally;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the Raft group has done since this process started. Each is written by one thread at a time; any may read it.
 */
public final class RaftCounts {

    private static final Logger LOG = LoggerFactory.getLogger(RaftCounts.class);

    private final Distribution appendTimes = new Distribution(Distribution.Range.SECONDS);
    private final Distribution snapshotTimes = new Distribution(Distribution.Range.SECONDS);
    private final Tally snapshotFailures = new Tally();
    private final Tally snapshotsLoaded = new Tally();
    private final Tally snapshotMillis = new Tally();
    private final Tally snapshotBytes = new Tally();
    private final Tally elected = new Tally();
    private final Tally leadersSeen = new Tally();
    private volatile Set<String> silent = Set.of();

    void appended(long nanos) {
        appendTimes.record(nanos);
    }

    void snapshotWritten(Path folder, long nanos) {
        snapshotTimes.record(nanos);
        newestSnapshot(folder);
    }

    void snapshotFailed() {
        snapshotFailures.add(1);
    }

    void snapshotLoaded(Path folder) {
        snapshotsLoaded.add(1);
        newestSnapshot(folder);
    }

    /** What cannot be measured is not shown: it is no reason to do without a good snapshot. */
    private void newestSnapshot(Path folder) {
        long bytes = 0;
        long millis = 0;
        try (Stream<Path> all = Files.list(folder)) {
            List<Path> files = all.toList();
            for (Path file : files) {
                bytes += Files.size(file);
                millis = Math.max(millis, Files.getLastModifiedTime(file).toMillis());
            }
        } catch (IOException e) {
            LOG.warn("the size of the snapshot in {} is not known: {}", folder, e.toString());
        }
        snapshotBytes.set(bytes);
        snapshotMillis.set(millis);
    }

    void leads() {
        elected.add(1);
        leadersSeen.add(1);
    }

    void follows() {
        leadersSeen.add(1);
    }

    void silent(Set<String> members) {
        silent = Set.copyOf(members);
    }

    /** How long it took until entries that came together were on this node's disk. */
    public Distribution appendTimes() {
        return appendTimes;
    }

    /** How long it took to write a snapshot. */
    public Distribution snapshotTimes() {
        return snapshotTimes;
    }

    public long snapshotFailures() {
        return snapshotFailures.get();
    }

    /** Of other nodes, and this node's own at its start. */
    public long snapshotsLoaded() {
        return snapshotsLoaded.get();
    }

    /** When the newest snapshot was written, in milliseconds since 1970; 0 without one. */
    public long snapshotMillis() {
        return snapshotMillis.get();
    }

    public long snapshotBytes() {
        return snapshotBytes.get();
    }

    /** How often this node was elected. */
    public long elected() {
        return elected.get();
    }

    /** How often this node has learnt of a leader, itself or another one. */
    public long leadersSeen() {
        return leadersSeen.get();
    }

    /** How many members do not answer this node while it leads; 0 while it does not. */
    public long silentPeers() {
        return silent.size();
    }

    /** Which members these are, in order. */
    public Set<String> silentNames() {
        return new TreeSet<>(silent);
    }
}
