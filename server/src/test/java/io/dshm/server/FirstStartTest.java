package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.PeerStatuses;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class FirstStartTest {

    private static final List<String> OTHERS = List.of("n2", "n3");

    private final List<String> waits = new ArrayList<>();

    private static CompletableFuture<StatusReply> answer(boolean hasState) {
        return CompletableFuture.completedFuture(
                StatusReply.newBuilder().setHasState(hasState).build());
    }

    private static CompletableFuture<StatusReply> silence() {
        return CompletableFuture.failedFuture(new IOException("nobody is there"));
    }

    private boolean joins(PeerStatuses peers) throws InterruptedException {
        return FirstStart.joinsExistingCluster("n1", OTHERS, peers, waits::add);
    }

    @Test
    void one_node_with_data_is_a_cluster_that_exists() throws InterruptedException {
        assertTrue(joins((node, millis) -> node.equals("n3") ? answer(true) : silence()));
        assertEquals(List.of(), waits);
    }

    @Test
    void a_majority_without_data_founds_the_cluster() throws InterruptedException {
        assertFalse(joins((node, millis) -> node.equals("n3") ? answer(false) : silence()));
        assertEquals(List.of(), waits);
    }

    @Test
    void a_node_that_hears_of_nobody_says_for_whom_it_waits_until_it_does() throws InterruptedException {
        assertTrue(joins((node, millis) -> waits.isEmpty() ? silence() : answer(true)));
        assertEquals(
                List.of(
                        "has no data, and waits to hear from [n2, n3] whether the cluster exists: 1 of 3 nodes is known to"
                                + " have none; it is a new cluster with 2"),
                waits);
    }

    @Test
    void how_many_are_known_to_have_none_is_said() {
        assertTrue(FirstStart.waitsFor(List.of("n2", "n3", "n4", "n5"), 2)
                .endsWith(": 2 of 5 nodes are known to have none; it is a new cluster with 3"));
    }
}
