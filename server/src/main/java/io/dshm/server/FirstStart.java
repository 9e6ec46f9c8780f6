package io.dshm.server;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.replication.jraft.RaftGroup;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node with an empty data folder is: a founding member of a cluster that does not exist yet, or one that lost
 * its data. The other members know: if any has data, the cluster exists; if a majority, this node included, has none,
 * it does not, because a cluster that works has its data on a majority. A node that lost its data counts for nothing
 * before it knows the others' terms, and may not vote before it has its data back; see {@link RaftGroup#start}.
 */
final class FirstStart {

    private static final Logger LOG = LoggerFactory.getLogger(FirstStart.class);

    private static final long ASK_MILLIS = 500;

    /** A line in the log every thirty seconds. */
    private static final int ROUNDS_PER_LINE = 60;

    private FirstStart() {}

    /**
     * Whether this node comes back to a cluster that exists. Blocks until enough other members have answered.
     *
     * @param others the names of the other members
     * @param waiting is told what this node waits for
     */
    static boolean joinsExistingCluster(String self, List<String> others, PeerStatuses peers, Consumer<String> waiting)
            throws InterruptedException {
        for (int round = 0; ; round++) {
            long started = System.nanoTime();
            List<CompletableFuture<StatusReply>> answers =
                    others.stream().map(node -> peers.ask(node, ASK_MILLIS)).toList();
            int without = 1;
            for (CompletableFuture<StatusReply> answer : answers) {
                try {
                    if (answer.get().getHasState()) {
                        LOG.info("{} has no data, but its cluster exists: it gets its data back before it votes", self);
                        return true;
                    }
                    without++;
                } catch (ExecutionException e) {
                    LOG.debug("no answer", e);
                }
            }
            if (without > (others.size() + 1) / 2) {
                LOG.info("{} founds the cluster: a majority of its members has no data yet", self);
                return false;
            }
            String wait = waitsFor(others, without);
            waiting.accept(wait);
            if (round % ROUNDS_PER_LINE == 0) {
                LOG.info("{} {}. See 'When a node, or its data, is lost' in deploy/README.md", self, wait);
            }
            // Those that refuse the connection answer at once; the next round begins when this one's time is over.
            long rest = ASK_MILLIS - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            TimeUnit.MILLISECONDS.sleep(Math.max(0, rest));
        }
    }

    /** @param without how many nodes are known to have no data, this one included */
    static String waitsFor(List<String> others, int without) {
        int nodes = others.size() + 1;
        return "has no data, and waits to hear from " + others + " whether the cluster exists: " + without + " of "
                + nodes + " nodes " + (without == 1 ? "is" : "are") + " known to have none; it is a new cluster with "
                + (nodes / 2 + 1);
    }
}
