package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.PeerId;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Who votes and who only learns, and changes of that: by Raft addresses, because the library knows no names. One change at a time; the
 * library goes through a joint configuration for each (Raft thesis, 4.3). Thread-safe.
 */
public final class MemberChanges {

    /**
     * Raft addresses.
     *
     * @param voters of those who vote, and count for commits
     * @param learners of those who only get the log
     */
    public record Roles(Set<String> voters, Set<String> learners) {

        /** How many of so many voters are a majority. */
        public static int majorityOf(int voters) {
            return voters / 2 + 1;
        }
    }

    private final Supplier<Node> node;

    MemberChanges(Supplier<Node> node) {
        this.node = node;
    }

    /**
     * The newest configuration in this node's log, committed or not.
     *
     * @throws IllegalStateException if Raft is not running
     */
    public Roles roles() {
        Configuration now = ((NodeImpl) node.get()).getCurrentConf();
        return new Roles(addresses(now.listPeers()), addresses(now.listLearners()));
    }

    /**
     * The voters that answer this leader, itself included.
     *
     * @throws IllegalStateException if this node does not lead
     */
    public Set<String> alive() {
        return addresses(node.get().listAlivePeers());
    }

    private static Set<String> addresses(Collection<PeerId> peers) {
        return peers.stream().map(peer -> peer.getEndpoint().toString()).collect(Collectors.toSet());
    }

    /** Adds one that gets the log, but neither votes nor counts. The result fails with what the library says. */
    public CompletableFuture<Void> addLearner(String address) {
        return change(address, (peer, done) -> node.get().addLearners(List.of(peer), done));
    }

    /** The same for the end of that. */
    public CompletableFuture<Void> removeLearner(String address) {
        return change(address, (peer, done) -> node.get().removeLearners(List.of(peer), done));
    }

    /**
     * Makes a learner a voter. The library's replicators are either a learner's or a voter's for as long as they exist: so the learner is
     * removed, and added as a voter, which the library does when it has caught up. If it does not, it is a learner again.
     */
    public CompletableFuture<Void> promote(String address) {
        CompletableFuture<Void> removed =
                roles().learners().contains(address) ? removeLearner(address) : CompletableFuture.completedFuture(null);
        return removed.thenCompose(
                        nothing -> change(address, (peer, done) -> node.get().addPeer(peer, done)))
                .whenComplete((nothing, failure) -> {
                    if (failure != null && !roles().voters().contains(address)) {
                        addLearner(address);
                    }
                });
    }

    /** Ends a vote. */
    public CompletableFuture<Void> removeVoter(String address) {
        return change(address, (peer, done) -> node.get().removePeer(peer, done));
    }

    /**
     * Hands leadership over. Returns at once.
     *
     * @param address of a voter, or empty for the one that is furthest along
     * @throws IOException if that cannot be; the message says why
     */
    public void transferLeadership(String address) throws IOException {
        Status status = node.get().transferLeadershipTo(address.isEmpty() ? PeerId.ANY_PEER : Peers.of(address));
        if (!status.isOk()) {
            throw new IOException(status.getErrorMsg());
        }
    }

    private static CompletableFuture<Void> change(String address, BiConsumer<PeerId, Closure> begin) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        try {
            begin.accept(Peers.of(address), status -> {
                if (status.isOk()) {
                    ended.complete(null);
                } else {
                    ended.completeExceptionally(new IOException(status.getErrorMsg()));
                }
            });
        } catch (IllegalArgumentException | IllegalStateException e) {
            // What the library's own checks throw.
            ended.completeExceptionally(new IOException(e.getMessage(), e));
        }
        return ended;
    }
}
