package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.statemachine.ClusterState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnClusterTest {

    private static final ClusterState SEVEN = new ClusterState(7, 100, Collections.emptySortedMap());

    @TempDir
    Path path;

    private final List<String> fatal = new ArrayList<>();
    private final Map<String, CompletableFuture<StatusReply>> answers = new HashMap<>();
    private CompletableFuture<StatusReply> answer = new CompletableFuture<>();
    private NodeFolder folder;
    private OwnCluster own;

    @BeforeEach
    void open() throws IOException {
        folder = NodeFolder.open(path, "c", "n1");
        own = new OwnCluster(
                folder, (node, millis) -> answers.getOrDefault(node, answer), new Removal("n1"), fatal::add);
    }

    @AfterEach
    void close() throws IOException {
        folder.close();
    }

    private void n2Says(long id, long applied) {
        answer = CompletableFuture.completedFuture(StatusReply.newBuilder()
                .setClusterId(id)
                .setAppliedIndex(applied)
                .build());
    }

    @Test
    void the_folder_keeps_the_id_over_a_restart() throws IOException {
        own.onState(SEVEN);
        folder.close();
        open();
        assertEquals(7, folder.clusterId());
        assertEquals(100, folder.clusterSince());
        own.onState(SEVEN);
        assertEquals(List.of(), fatal);
    }

    @Test
    void when_the_state_is_another_cluster_s_then_the_node_stops() {
        own.onState(SEVEN);
        own.onState(new ClusterState(8, 50, Collections.emptySortedMap()));
        assertTrue(fatal.get(0).contains("node.properties"), fatal::toString);
        assertTrue(fatal.get(0).contains("0000000000000008"), fatal::toString);
        assertEquals(7, folder.clusterId());
    }

    @Test
    void a_node_that_has_no_data_takes_over_anything() {
        n2Says(8, 1000);
        assertNull(own.refusal("n2"));
    }

    @Test
    void a_snapshot_of_the_same_cluster_is_taken_over() {
        own.onState(SEVEN);
        n2Says(7, 1000);
        assertNull(own.refusal("n2"));
        assertEquals(List.of(), fatal);
    }

    @Test
    void a_snapshot_of_another_cluster_is_not_taken_over_and_the_node_stops() {
        own.onState(SEVEN);
        n2Says(8, 50);
        assertNotNull(own.refusal("n2"));
        assertEquals(1, fatal.size());
    }

    @Test
    void nor_is_one_of_a_cluster_without_an_id_that_has_come_past_the_index_of_this_one_s() {
        own.onState(SEVEN);
        n2Says(0, 100);
        assertNotNull(own.refusal("n2"));
        assertEquals(1, fatal.size());
    }

    @Test
    void who_may_not_have_applied_the_id_yet_or_does_not_answer_is_only_kept_waiting() {
        own.onState(SEVEN);
        n2Says(0, 99);
        assertNotNull(own.refusal("n2"));
        answer = CompletableFuture.failedFuture(new IOException("unreachable"));
        assertNotNull(own.refusal("n2"));
        assertEquals(List.of(), fatal);
    }

    @Test
    void when_a_majority_belongs_to_another_cluster_then_a_node_without_a_leader_stops() {
        own.onState(SEVEN);
        StatusReply other =
                StatusReply.newBuilder().setClusterId(8).setAppliedIndex(1).build();
        answers.put("n2", CompletableFuture.completedFuture(other));
        answers.put("n3", CompletableFuture.failedFuture(new IOException("down")));
        own.lookAround(Set.of("n2", "n3"));
        assertEquals(List.of(), fatal, "n2 alone may be the stray one");
        answers.put("n3", CompletableFuture.completedFuture(other));
        own.lookAround(Set.of("n2", "n3"));
        assertEquals(1, fatal.size());
        assertTrue(fatal.get(0).contains("n2 and n3 belongs to the one with the id 0000000000000008"), fatal::toString);
    }

    @Test
    void a_leader_of_another_cluster_stops_the_node() {
        own.onState(SEVEN);
        own.onLeadership(new Leadership(5, "n2", false));
        own.onLeadership(new Leadership(6, "n1", true));
        assertEquals(List.of(), fatal);
        answer.complete(StatusReply.newBuilder().setClusterId(8).build());
        assertEquals(1, fatal.size());
        assertTrue(fatal.get(0).contains("its leader n2"), fatal::toString);
    }
}
