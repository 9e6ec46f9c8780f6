package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.FoundCluster;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.Member;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.admin.RefusedException;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.jraft.MemberChanges;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The leader, n1, is asked for changes; what it refuses, and why, and what it does. */
class MemberOperatorTest {

    private static final long APPLIED = 5_000;

    private final StateMachine stateMachine = new StateMachine(new ClusterClock(() -> 0));
    private final ClusterMembers members = new ClusterMembers("n1", Map.of("n1", address("n1")));
    private final Set<String> voters = new TreeSet<>();
    private final Set<String> learners = new TreeSet<>();
    private final Set<String> silent = new TreeSet<>();
    private final Map<String, StatusReply> statuses = new HashMap<>();
    private final List<String> changes = new ArrayList<>();
    private Leadership leadership = new Leadership(3, "n1", true);

    private final MemberOperator operator = new MemberOperator(new MemberOperator.Node(
            "n1",
            true,
            () -> leadership,
            this::apply,
            () -> APPLIED,
            stateMachine,
            members,
            new Raft(),
            (node, millis) -> statuses.containsKey(node)
                    ? CompletableFuture.completedFuture(statuses.get(node))
                    : CompletableFuture.failedFuture(new IOException("silent"))));

    private static String address(String name) {
        return name + ".example:7321:7331";
    }

    private static String raft(String name) {
        return name + ".example:7321";
    }

    /** Changes take place at once, and are remembered. */
    private final class Raft implements MemberChanges {

        @Override
        public Roles roles() {
            return new Roles(Set.copyOf(voters), Set.copyOf(learners));
        }

        @Override
        public Set<String> alive() {
            Set<String> alive = new TreeSet<>(voters);
            alive.removeAll(silent);
            return alive;
        }

        private CompletableFuture<Void> done(String what, String address) {
            changes.add(what + " " + address);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> addLearner(String address) {
            learners.add(address);
            return done("learner", address);
        }

        @Override
        public CompletableFuture<Void> removeLearner(String address) {
            learners.remove(address);
            return done("no learner", address);
        }

        @Override
        public CompletableFuture<Void> promote(String address) {
            learners.remove(address);
            voters.add(address);
            return done("voter", address);
        }

        @Override
        public CompletableFuture<Void> removeVoter(String address) {
            voters.remove(address);
            return done("no voter", address);
        }

        @Override
        public void transferLeadership(String address) {
            changes.add("transfer " + address);
        }
    }

    /** As a log of which each entry is applied at once. */
    private void apply(CommandRecord record) {
        byte[] entry = LogEntry.newBuilder().addRecords(record).build().toByteArray();
        stateMachine.apply(stateMachine.appliedIndex() + 1, ByteBuffer.wrap(entry));
        members.agreed(new TreeMap<>(stateMachine.cluster().members()));
    }

    private void found(String... names) {
        FoundCluster.Builder found = FoundCluster.newBuilder().setId(7);
        for (String name : names) {
            found.addMembers(Member.newBuilder().setName(name).setAddress(address(name)));
            voters.add(raft(name));
        }
        apply(CommandRecord.newBuilder().setFoundCluster(found).build());
    }

    private void refused(String code, String why, String action, String subject) {
        Set<String> before = Set.copyOf(members.all().keySet());
        RefusedException refused = assertThrows(RefusedException.class, () -> operator.act(action, subject));
        assertEquals(code, refused.code(), refused.getMessage());
        assertTrue(String.valueOf(refused.getMessage()).contains(why), refused.getMessage());
        assertEquals(before, members.all().keySet());
    }

    private void says(String name, boolean votes, long applied) {
        statuses.put(
                name,
                StatusReply.newBuilder()
                        .setVotes(votes)
                        .setAppliedIndex(applied)
                        .build());
    }

    @Test
    void only_the_leader_changes_members() {
        found("n1", "n2", "n3");
        leadership = new Leadership(3, "n2", false);
        refused(RefusedException.NOT_LEADER, "n2 leads: ask it", "remove", "n3");
        leadership = Leadership.NONE;
        refused(RefusedException.NOT_LEADER, "no leader is known", "remove", "n3");
        assertEquals(List.of(), changes);
    }

    @Test
    void without_a_list_of_members_nothing_is_changed() {
        refused(RefusedException.REFUSED, "the cluster has no list of members yet", "remove", "n3");
    }

    @ParameterizedTest
    @CsvSource({"remove", "promote", "transfer-leader"})
    void a_node_that_is_not_known_is_refused_with_the_names_of_those_that_are(String action) {
        found("n1", "n2", "n3");
        refused(RefusedException.REFUSED, "no member has the name n9; the members are [n1, n2, n3]", action, "n9");
        assertEquals(List.of(), changes);
    }

    @Test
    void nobody_is_removed_if_too_few_of_those_that_are_left_answer() throws Exception {
        found("n1", "n2", "n3");
        silent.add(raft("n3"));
        refused(RefusedException.REFUSED, "of the 2 nodes that would be left to vote only 1 answer", "remove", "n2");
        assertEquals(List.of(), changes);
        assertTrue(operator.act("remove", "n3").contains("n3 is no member any more"));
        assertEquals(List.of("no voter " + raft("n3")), changes);
        assertEquals(Set.of("n1", "n2"), members.all().keySet());
    }

    @Test
    void the_last_one_that_votes_stays() {
        found("n1");
        refused(RefusedException.REFUSED, "n1 is the only node that votes", "remove", "n1");
    }

    @Test
    void a_leader_that_is_to_be_removed_hands_over_first() {
        found("n1", "n2", "n3");
        refused(RefusedException.NOT_LEADER, "n1 leads, and hands over first", "remove", "n1");
        assertEquals(List.of("transfer "), changes);
    }

    @Test
    void a_learner_is_promoted_when_it_has_caught_up() throws Exception {
        found("n1", "n2");
        operator.act("add", "n3=" + address("n3"));
        assertEquals(Set.of("n1", "n2", "n3"), members.all().keySet());
        refused(RefusedException.NOT_CAUGHT_UP, "n3 does not answer at its forwarding address", "promote", "n3");
        says("n3", false, APPLIED);
        refused(RefusedException.NOT_CAUGHT_UP, "and gets its data", "promote", "n3");
        says("n3", true, 10);
        refused(RefusedException.NOT_CAUGHT_UP, "it has applied 10 of 5000 log entries", "promote", "n3");
        says("n3", true, APPLIED);
        assertEquals("n3 votes", operator.act("promote", "n3"));
        assertEquals(List.of("learner " + raft("n3"), "voter " + raft("n3")), changes);
    }

    /** A promotion takes the learner out, and adds the voter. */
    @Test
    void a_promotion_that_broke_off_is_repeated() throws Exception {
        found("n1", "n2");
        operator.act("add", "n3=" + address("n3"));
        learners.remove(raft("n3"));
        changes.clear();
        says("n3", true, 10);
        refused(RefusedException.NOT_CAUGHT_UP, "it has applied 10 of 5000 log entries", "promote", "n3");
        assertEquals(List.of("learner " + raft("n3")), changes, "it catches up from now on");
        says("n3", true, APPLIED);
        assertEquals("n3 votes", operator.act("promote", "n3"));
    }

    @Test
    void nobody_is_promoted_if_no_majority_of_the_voters_would_answer() throws Exception {
        found("n1", "n2", "n3");
        operator.act("add", "n4=" + address("n4"));
        says("n4", true, APPLIED);
        silent.add(raft("n2"));
        silent.add(raft("n3"));
        refused(RefusedException.REFUSED, "of the 4 nodes that would vote only 2 answer", "promote", "n4");
    }

    @Test
    void one_after_the_other_is_added_at_an_address_that_is_free() throws Exception {
        found("n1", "n2");
        refused(RefusedException.REFUSED, "n2 has the address " + address("n2"), "add", "n3=" + address("n2"));
        refused(RefusedException.REFUSED, "n2 is a member already, at", "add", "n2=" + address("n3"));
        operator.act("add", "n3=" + address("n3"));
        refused(RefusedException.REFUSED, "n3 was added, and does not vote yet", "add", "n4=" + address("n4"));
    }
}
