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

/** Changes of members by the library. Thread-safe. */
final class LibraryMemberChanges implements MemberChanges {

    private final Supplier<Node> node;

    LibraryMemberChanges(Supplier<Node> node) {
        this.node = node;
    }

    @Override
    public Roles roles() {
        Configuration now = ((NodeImpl) node.get()).getCurrentConf();
        return new Roles(addresses(now.listPeers()), addresses(now.listLearners()));
    }

    @Override
    public Set<String> alive() {
        return addresses(node.get().listAlivePeers());
    }

    private static Set<String> addresses(Collection<PeerId> peers) {
        return peers.stream().map(peer -> peer.getEndpoint().toString()).collect(Collectors.toSet());
    }

    @Override
    public CompletableFuture<Void> addLearner(String address) {
        return change(address, (peer, done) -> node.get().addLearners(List.of(peer), done));
    }

    @Override
    public CompletableFuture<Void> removeLearner(String address) {
        return change(address, (peer, done) -> node.get().removeLearners(List.of(peer), done));
    }

    /**
     * {@inheritDoc} The library's replicators are either a learner's or a voter's for as long as they exist: so the
     * learner is removed, and added as a voter.
     */
    @Override
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

    @Override
    public CompletableFuture<Void> removeVoter(String address) {
        return change(address, (peer, done) -> node.get().removePeer(peer, done));
    }

    @Override
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
