package io.dshm.server;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.statemachine.ClusterState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this node's data from those of another cluster that has the same name and addresses: one that nodes have
 * founded which had lost their data, or that a backup was restored to. The cluster's id is in its state, and, once this
 * node has applied the entry that gave it, in its data folder. A node that meets another cluster stops, instead of
 * taking over what that one has. Thread-safe.
 */
final class OwnCluster {

    private static final Logger LOG = LoggerFactory.getLogger(OwnCluster.class);

    private static final long ASK_MILLIS = 500;

    private final NodeFolder folder;
    private final PeerStatuses peers;
    private final Removal removal;
    private final Consumer<String> fatal;

    /**
     * The cluster that the folder belongs to.
     *
     * @param removal is told of the others' answers, too
     * @param fatal is told why this node must stop
     */
    OwnCluster(NodeFolder folder, PeerStatuses peers, Removal removal, Consumer<String> fatal) {
        this.folder = folder;
        this.peers = peers;
        this.removal = removal;
        this.fatal = fatal;
    }

    /** What was applied says which cluster this is. On the thread that applies. */
    void onState(ClusterState state) {
        if (state.id() == folder.clusterId()) {
            return;
        }
        if (folder.clusterId() != 0) {
            fatal.accept(otherCluster("its log or snapshot", state.id()));
            return;
        }
        try {
            folder.setCluster(state.id(), state.since());
            LOG.info("the cluster's id is {}", text(state.id()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** This node has a new leader: it asks it which cluster that leads. */
    void onLeadership(Leadership leadership) {
        String leader = leadership.leader();
        if (folder.clusterId() != 0 && leader != null && !leadership.self()) {
            peers.ask(leader, ASK_MILLIS).thenAccept(answer -> {
                if (isOther(answer)) {
                    fatal.accept(otherCluster("its leader " + leader, answer.getClusterId()));
                }
            });
        }
    }

    /**
     * To be called now and then while no leader is known: when a majority of the members belongs to another cluster, or
     * all others do, this node will never have one; and when they say that it was removed. Returns at once.
     *
     * @param others the names of the other members
     */
    void lookAround(Set<String> others) {
        if (folder.clusterId() == 0 || others.isEmpty()) {
            return;
        }
        Map<String, CompletableFuture<StatusReply>> answers = new TreeMap<>();
        others.forEach(name -> answers.put(name, peers.ask(name, ASK_MILLIS)));
        CompletableFuture.allOf(answers.values().toArray(new CompletableFuture<?>[0]))
                .whenComplete(Guard.last("looking for another cluster", (nothing, someFailed) -> judge(answers)));
    }

    private void judge(Map<String, CompletableFuture<StatusReply>> answers) {
        removal.judge(answers);
        Map<String, Long> strangers = new TreeMap<>();
        answers.forEach((name, answer) -> {
            if (!answer.isCompletedExceptionally() && isOther(answer.join())) {
                strangers.put(name, answer.join().getClusterId());
            }
        });
        int members = answers.size() + 1;
        if (strangers.size() >= Math.min(answers.size(), members / 2 + 1)) {
            fatal.accept(otherCluster(
                    String.join(" and ", strangers.keySet()),
                    strangers.values().iterator().next()));
        }
    }

    /**
     * Why nothing that replaces this node's data may come from that member; null if it may. Blocks for some seconds at
     * most. If the member belongs to another cluster, this node stops.
     */
    @Nullable
    String refusal(String member) {
        if (folder.clusterId() == 0) {
            return null;
        }
        try {
            StatusReply answer = peers.ask(member, ASK_MILLIS).join();
            if (answer.getClusterId() == folder.clusterId()) {
                return null;
            }
            if (isOther(answer)) {
                fatal.accept(otherCluster(member, answer.getClusterId()));
            }
            return member + " does not know yet to which cluster it belongs";
        } catch (CompletionException e) {
            return member + " does not say to which cluster it belongs: " + e.getCause();
        }
    }

    /**
     * Whether that node certainly has another log than this one: another id, or none although it has applied as much as
     * gave this cluster its id.
     */
    private boolean isOther(StatusReply answer) {
        return answer.getClusterId() == 0
                ? answer.getAppliedIndex() >= folder.clusterSince()
                : answer.getClusterId() != folder.clusterId();
    }

    private String otherCluster(String who, long id) {
        return folder.file() + " says that this node's data is that of the cluster with the id "
                + text(folder.clusterId()) + ", but " + who + " belongs to "
                + (id == 0 ? "a new one, which has no id yet" : "the one with the id " + text(id))
                + ". Nothing was changed here. If this node has the right data, stop the other nodes, and make a cluster of it"
                + " with dshm recover; if they have, move this node's data folder away and start it: it gets a copy of theirs";
    }

    private static String text(long id) {
        return String.format("%016x", id);
    }
}
