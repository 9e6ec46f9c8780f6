package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.RaftOutter.EntryMeta;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

class AppendRequestsTest {

    private static AppendEntriesRequest.Builder from(long previous, String... entries) {
        AppendEntriesRequest.Builder request = AppendEntriesRequest.newBuilder()
                .setGroupId("g")
                .setServerId("s")
                .setPeerId("p")
                .setTerm(9)
                .setPrevLogTerm(5)
                .setPrevLogIndex(previous)
                .setCommittedIndex(1);
        for (String entry : entries) {
            request.addEntries(EntryMeta.newBuilder()
                    .setTerm(5)
                    .setType(EntryType.ENTRY_TYPE_DATA)
                    .setDataLen(entry.length()));
        }
        return request.setData(ByteString.copyFromUtf8(String.join("", entries)));
    }

    private static AppendEntriesRequest behind(long index, AppendEntriesRequest.Builder request) {
        return AppendRequests.behind(new AppendRequests.Position(index, 7), request.build());
    }

    @Test
    void when_some_entries_are_applied_then_the_request_begins_behind_them() {
        AppendEntriesRequest rest = behind(12, from(10, "a", "bb", "ccc", "dddd"));
        assertEquals(12, rest.getPrevLogIndex());
        assertEquals(7, rest.getPrevLogTerm());
        assertEquals(2, rest.getEntriesCount());
        assertEquals(3, rest.getEntries(0).getDataLen());
        assertEquals("cccdddd", rest.getData().toStringUtf8());
        assertEquals(9, rest.getTerm());
    }

    @Test
    void when_all_entries_are_applied_then_nothing_is_left_but_the_question_whether_they_match() {
        AppendEntriesRequest rest = behind(20, from(10, "a", "bb"));
        assertEquals(20, rest.getPrevLogIndex());
        assertEquals(7, rest.getPrevLogTerm());
        assertEquals(0, rest.getEntriesCount());
        assertTrue(rest.hasData(), "it is not a heartbeat");
        assertEquals(0, rest.getData().size());
    }

    @Test
    void when_a_leader_asks_for_an_entry_that_was_applied_then_it_is_told_that_it_matches() {
        AppendEntriesRequest rest = behind(20, from(10));
        assertEquals(20, rest.getPrevLogIndex());
        assertTrue(rest.hasData(), "it is not a heartbeat");
    }

    @Test
    void when_a_request_begins_behind_what_is_applied_then_it_stays_as_it_is() {
        AppendEntriesRequest next = from(12, "a").build();
        assertSame(next, AppendRequests.behind(new AppendRequests.Position(12, 7), next));
        assertSame(next, AppendRequests.behind(null, next));
    }

    @Test
    void when_a_heartbeat_names_no_entry_then_it_stays_as_it_is() {
        AppendEntriesRequest heartbeat = from(0).clearData().build();
        assertSame(heartbeat, AppendRequests.behind(new AppendRequests.Position(12, 7), heartbeat));
    }
}
