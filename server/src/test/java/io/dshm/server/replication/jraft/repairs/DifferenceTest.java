package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.RaftOutter.EntryMeta;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** This node is in term 9; it has applied 1 to 10 in term 3, 12 to 20 in term 5. */
class DifferenceTest {

    private static final long TERM = 9;

    private final AppliedTerms applied = new AppliedTerms();
    private final List<String> found = new ArrayList<>();
    private final Difference difference = new Difference(applied, () -> TERM, found::add);

    DifferenceTest() {
        applied.add(1, 10, 3);
        applied.add(12, 15, 5);
        applied.add(16, 20, 5);
    }

    private static AppendEntriesRequest request(long term, long previous, long previousTerm, long... terms) {
        AppendEntriesRequest.Builder request = AppendEntriesRequest.newBuilder()
                .setGroupId("g")
                .setServerId("leader:1")
                .setPeerId("p")
                .setTerm(term)
                .setPrevLogTerm(previousTerm)
                .setPrevLogIndex(previous)
                .setCommittedIndex(1);
        for (long entry : terms) {
            request.addEntries(EntryMeta.newBuilder().setTerm(entry).setType(EntryType.ENTRY_TYPE_DATA));
        }
        return request.build();
    }

    private void assertSame(AppendEntriesRequest request) {
        difference.check(request);
        assertEquals(List.of(), found);
    }

    private void assertDiffers(long index, AppendEntriesRequest request) {
        difference.check(request);
        assertEquals(1, found.size(), "what differs");
        assertTrue(
                found.get(0).contains("leader:1") && found.get(0).contains("at index " + index + " "), found::toString);
    }

    @Test
    void when_the_leader_has_the_same_entries_then_nothing_is_wrong() {
        assertSame(request(9, 9, 3, 3, 4, 5, 5));
        assertSame(request(9, 18, 5, 5, 5, 9, 9));
        assertSame(request(9, 20, 5, 9));
        assertSame(request(9, 0, 0, 3));
    }

    @Test
    void when_an_entry_that_is_applied_has_another_term_then_it_is_said() {
        assertDiffers(17, request(9, 15, 5, 5, 6));
    }

    @Test
    void when_the_entry_before_has_another_term_then_it_is_said() {
        assertDiffers(20, request(9, 20, 6, 6));
    }

    @Test
    void when_a_heartbeat_names_another_entry_then_it_is_said() {
        assertDiffers(8, request(10, 8, 2));
    }

    @Test
    void what_is_not_applied_may_differ() {
        assertSame(request(9, 21, 7, 7));
        assertSame(request(9, 20, 5, 7));
    }

    @Test
    void what_a_leader_of_an_earlier_term_says_does_not_count() {
        assertSame(request(8, 15, 7, 7));
    }

    @Test
    void entries_whose_terms_are_not_known_are_not_compared() {
        assertSame(request(9, 11, 4));
        assertSame(request(9, 15, 0));
        applied.reset(30, 8);
        assertSame(request(9, 15, 7, 7));
        assertDiffers(30, request(9, 29, 8, 9));
    }

    @Test
    void when_nothing_is_applied_then_nothing_differs() {
        new Difference(new AppliedTerms(), () -> TERM, found::add).check(request(9, 15, 7, 7));
        assertEquals(List.of(), found);
    }

    private static InstallSnapshotRequest snapshot(long index, long term) {
        return InstallSnapshotRequest.newBuilder()
                .setGroupId("g")
                .setServerId("leader:1")
                .setPeerId("p")
                .setTerm(9)
                .setUri("remote://x")
                .setMeta(SnapshotMeta.newBuilder().setLastIncludedIndex(index).setLastIncludedTerm(term))
                .build();
    }

    @Test
    void when_a_snapshot_ends_with_another_entry_than_was_applied_then_it_is_said() {
        difference.check(snapshot(20, 5));
        difference.check(snapshot(21, 6));
        assertEquals(List.of(), found);
        difference.check(snapshot(20, 6));
        assertEquals(1, found.size(), "what differs");
    }

    @Test
    void the_latest_terms_are_remembered_and_the_earliest_forgotten() {
        for (int term = 6; term < 1_000; term++) {
            applied.add(10L * term, 10L * term + 5, term);
        }
        assertEquals(0, applied.termAt(20));
        assertEquals(900, applied.termAt(9_003));
        assertEquals(999, applied.termAt(9_995));
        assertEquals(new AppendRequests.Position(9_995, 999), applied.last());
    }
}
