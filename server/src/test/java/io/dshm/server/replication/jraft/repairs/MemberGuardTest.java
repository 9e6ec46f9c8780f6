package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.entity.LocalFileMetaOutter;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.google.protobuf.Message;
import io.dshm.proto.Limits;
import io.dshm.server.network.RefusalLog;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MemberGuardTest {

    private static final String SELF = "h1:7321";
    private static final String OTHER = "h2:7321";

    private long ownTerm;
    private @Nullable String foreign;
    private final Set<String> others = new TreeSet<>(Set.of(OTHER, "h3:7321"));
    private final MemberGuard guard =
            new MemberGuard("g", SELF, others, leader -> foreign, () -> ownTerm, new RefusalLog("test", () -> 0));

    private static List<Message> requests(String group, String from, String to, long term) {
        return List.of(
                vote(group, from, to, term, false),
                vote(group, from, to, term, true),
                AppendEntriesRequest.newBuilder()
                        .setGroupId(group)
                        .setServerId(from)
                        .setPeerId(to)
                        .setTerm(term)
                        .setPrevLogIndex(0)
                        .setPrevLogTerm(0)
                        .setCommittedIndex(0)
                        .build(),
                TimeoutNowRequest.newBuilder()
                        .setGroupId(group)
                        .setServerId(from)
                        .setPeerId(to)
                        .setTerm(term)
                        .build(),
                install(group, from, to, term, "remote://" + from + "/1"));
    }

    private static Message vote(String group, String from, String to, long term, boolean pre) {
        return RequestVoteRequest.newBuilder()
                .setGroupId(group)
                .setServerId(from)
                .setPeerId(to)
                .setTerm(term)
                .setLastLogIndex(0)
                .setLastLogTerm(0)
                .setPreVote(pre)
                .build();
    }

    private static Message install(String group, String from, String to, long term, String uri) {
        return InstallSnapshotRequest.newBuilder()
                .setGroupId(group)
                .setServerId(from)
                .setPeerId(to)
                .setTerm(term)
                .setUri(uri)
                .setMeta(SnapshotMeta.newBuilder().setLastIncludedIndex(1).setLastIncludedTerm(1))
                .build();
    }

    private static List<Message> answers(long term) {
        return List.of(
                RequestVoteResponse.newBuilder().setTerm(term).setGranted(false).build(),
                AppendEntriesResponse.newBuilder()
                        .setTerm(term)
                        .setSuccess(false)
                        .build(),
                InstallSnapshotResponse.newBuilder()
                        .setTerm(term)
                        .setSuccess(false)
                        .build(),
                TimeoutNowResponse.newBuilder().setTerm(term).setSuccess(false).build());
    }

    @Test
    void a_member_s_requests_with_a_term_that_can_be_are_admitted() {
        for (long term : new long[] {0, 1, Limits.TERM_JUMP_MAX}) {
            requests("g", OTHER, SELF, term).forEach(request -> assertNull(guard.refusal(request)));
            answers(term).forEach(answer -> assertNull(guard.refusalOfAnswer(answer)));
        }
    }

    @Test
    void an_absurd_term_is_refused_in_every_request_and_answer_and_said() {
        for (long term : new long[] {Limits.TERM_JUMP_MAX + 1, Long.MAX_VALUE}) {
            for (Message request : requests("g", OTHER, SELF, term)) {
                assertTrue(String.valueOf(guard.refusal(request)).contains("term " + term), request::toString);
            }
            answers(term).forEach(answer -> assertNotNull(guard.refusalOfAnswer(answer)));
        }
    }

    @Test
    void what_is_absurd_depends_on_the_node_s_own_term() {
        ownTerm = 7 * Limits.TERM_JUMP_MAX;
        requests("g", OTHER, SELF, ownTerm + 1).forEach(request -> assertNull(guard.refusal(request)));
        assertNotNull(guard.refusal(vote("g", OTHER, SELF, ownTerm + 1 + Limits.TERM_JUMP_MAX, false)));
    }

    @Test
    void requests_of_strangers_of_this_node_s_own_name_and_for_others_are_refused() {
        requests("g", "h4:7321", SELF, 1).forEach(request -> assertNotNull(guard.refusal(request)));
        requests("g", SELF, SELF, 1).forEach(request -> assertNotNull(guard.refusal(request)));
        requests("g", OTHER, "h3:7321", 1).forEach(request -> assertNotNull(guard.refusal(request)));
        requests("x", OTHER, SELF, 1).forEach(request -> assertNotNull(guard.refusal(request)));
    }

    @Test
    void a_snapshot_is_fetched_from_the_leader_that_offers_it_only_and_in_pieces() {
        assertNotNull(guard.refusal(install("g", OTHER, SELF, 1, "remote://h4:7321/1")));
        assertNotNull(guard.refusal(install("g", OTHER, SELF, 1, "remote://" + OTHER + "1/1")));
        assertNull(guard.refusal(piece(Limits.RAFT_CHUNK_BYTES)));
        assertNull(
                guard.refusal(GetFileRequest.newBuilder()
                        .setFilename("__raft_snapshot_meta")
                        .setCount(Integer.MAX_VALUE)
                        .setReaderId(1)
                        .setOffset(0)
                        .build()),
                "the list of files, as the library asks for it");
        assertNotNull(guard.refusal(piece(Long.MAX_VALUE)));
    }

    @Test
    void no_snapshot_is_taken_over_from_another_cluster() {
        foreign = "it belongs to another cluster";
        assertEquals(foreign, guard.refusal(install("g", OTHER, SELF, 1, "remote://" + OTHER + "/1")));
    }

    @Test
    void who_becomes_a_member_is_admitted_from_then_on() {
        assertNotNull(guard.refusal(vote("g", "h4:7321", SELF, 1, false)));
        others.add("h4:7321");
        assertNull(guard.refusal(vote("g", "h4:7321", SELF, 1, false)));
    }

    private static Message piece(long count) {
        return GetFileRequest.newBuilder()
                .setReaderId(1)
                .setFilename("f")
                .setOffset(0)
                .setCount(count)
                .build();
    }

    @Test
    void a_message_that_is_no_request_is_refused() {
        assertNotNull(guard.refusal(LocalFileMetaOutter.LocalFileMeta.getDefaultInstance()));
    }
}
