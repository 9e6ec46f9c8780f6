package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.wire.Member;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.jraft.Electorate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Members of which some have come and gone since this node, c, had its data. An address is that of the name, on port 1. */
class VoterQuestionsTest {

    private final ClusterMembers members = new ClusterMembers("c", Map.of("a", "a:1:2", "b", "b:1:2", "c", "c:1:2"));
    private final Map<String, StatusReply> answers = new HashMap<>();
    private final List<List<String>> waits = new ArrayList<>();
    private Runnable afterWait = () -> {
        throw new AssertionError("nobody is left to wait for");
    };

    private List<Electorate> ask() throws InterruptedException {
        VoterQuestions questions = new VoterQuestions("c", members, (name, millis) -> {
            StatusReply answer = answers.get(name);
            return answer == null
                    ? CompletableFuture.failedFuture(new IOException("silent"))
                    : CompletableFuture.completedFuture(answer);
        });
        return questions.ask(missing -> {
            waits.add(missing);
            afterWait.run();
        });
    }

    private static StatusReply says(long applied, String... voters) {
        StatusReply.Builder reply = StatusReply.newBuilder()
                .setHasState(true)
                .setVotes(true)
                .setClusterId(7)
                .setAppliedIndex(applied);
        for (String voter : voters) {
            reply.addVoters(voter + ":1")
                    .addMembers(Member.newBuilder().setName(voter).setAddress(voter + ":1:2"));
        }
        return reply.build();
    }

    @Test
    void in_a_cluster_without_an_id_the_setting_counts() throws InterruptedException {
        answers.put("a", StatusReply.newBuilder().setHasState(true).build());
        assertEquals(List.of(new Electorate(Set.of("a", "b"), true)), ask());
    }

    @Test
    void who_has_no_data_knows_nothing() throws InterruptedException {
        answers.put("a", StatusReply.getDefaultInstance());
        afterWait = () -> {
            answers.put("a", says(10, "a", "b", "c"));
            answers.put("b", says(10, "a", "b", "c"));
        };
        assertEquals(List.of(new Electorate(Set.of("a", "b"), true)), ask());
        assertEquals(List.of(List.of("a", "b")), waits);
    }

    @Test
    void members_that_have_not_changed_are_known_when_enough_have_said_so() throws InterruptedException {
        answers.put("a", says(10, "a", "b", "c"));
        afterWait = () -> answers.put("b", says(9, "a", "b", "c"));
        assertEquals(List.of(new Electorate(Set.of("a", "b"), true)), ask());
        assertEquals(List.of(List.of("b")), waits);
    }

    @Test
    void a_node_that_has_no_vote_does_not_wait_for_a_dead_one() throws InterruptedException {
        answers.put("a", says(20, "a", "b", "d"));
        answers.put("d", says(20, "a", "b", "d"));
        afterWait = () -> {};
        assertEquals(List.of(new Electorate(Set.of("a", "b", "d"), false)), ask());
    }

    @Test
    void new_members_are_asked_too_and_count() throws InterruptedException {
        answers.put("a", says(20, "a", "c", "d", "e", "f"));
        answers.put("d", says(20, "a", "c", "d", "e", "f"));
        answers.put("e", says(19, "a", "c", "d", "e", "f"));
        afterWait = () -> {};
        assertEquals(List.of(new Electorate(Set.of("a", "d", "e", "f"), true)), ask());
        assertEquals(Set.of("a", "d", "e", "f"), members.others());
    }

    @Test
    void who_has_lost_its_data_itself_has_said_nothing() throws InterruptedException {
        answers.put("a", says(10, "a", "b", "c"));
        answers.put(
                "b", StatusReply.newBuilder().setHasState(true).setClusterId(7).build());
        afterWait = () -> answers.put("b", says(10, "a", "b", "c"));
        assertEquals(List.of(new Electorate(Set.of("a", "b"), true)), ask());
        assertEquals(List.of(List.of("b")), waits);
    }
}
