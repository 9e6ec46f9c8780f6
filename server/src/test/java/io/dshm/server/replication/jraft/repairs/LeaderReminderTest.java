package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.google.protobuf.Message;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LeaderReminderTest {

    private static final long LAST_LOG_INDEX = 100;

    private long now = 5;
    private final LeaderReminder reminder = new LeaderReminder(() -> now);

    private static AppendEntriesRequest heartbeat(long committed) {
        return AppendEntriesRequest.newBuilder()
                .setGroupId("g")
                .setServerId("s")
                .setPeerId("p")
                .setTerm(9)
                .setPrevLogTerm(0)
                .setPrevLogIndex(0)
                .setCommittedIndex(committed)
                .build();
    }

    private @Nullable Message after(int millis, long committed) {
        now += TimeUnit.MILLISECONDS.toNanos(millis);
        return reminder.answer(heartbeat(committed), LAST_LOG_INDEX);
    }

    private static boolean isError(@Nullable Message answer) {
        return answer instanceof ErrorResponse;
    }

    @Test
    void when_nothing_comes_of_what_is_committed_then_the_leader_is_told_twice_and_given_time_again() {
        assertNull(after(900, 101));
        assertTrue(isError(after(200, 101)));
        AppendEntriesResponse second = (AppendEntriesResponse) after(100, 101);
        assertNotNull(second);
        assertFalse(second.getSuccess());
        assertEquals(LAST_LOG_INDEX, second.getLastLogIndex());
        assertEquals(9, second.getTerm());
        assertNull(after(900, 101));
        assertTrue(isError(after(200, 101)));
    }

    @Test
    void when_entries_come_then_the_leader_is_left_alone() {
        assertNull(after(900, 101));
        reminder.onEntries();
        assertNull(after(900, 150));
    }

    @Test
    void when_the_node_lacks_nothing_then_the_leader_is_left_alone_for_ever() {
        assertNull(after(100_000, 100));
    }

    @Test
    void while_a_snapshot_is_on_its_way_the_leader_is_left_alone() {
        reminder.onInstalling(1);
        assertNull(after(100_000, 101));
        reminder.onInstalling(-1);
        assertNull(after(900, 101));
        assertNotNull(after(200, 101));
    }
}
