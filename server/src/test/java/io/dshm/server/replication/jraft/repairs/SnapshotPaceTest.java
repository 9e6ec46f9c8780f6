package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.Message;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SnapshotPaceTest {

    private static final long MIB = 1024 * 1024;

    private long nanos = 1;
    private final SnapshotPace pace = new SnapshotPace(200 * MIB, () -> nanos);

    @Test
    void a_snapshot_is_due_after_as_many_bytes_as_the_last_one_has_and_again_after_as_many() {
        assertFalse(pace.isDue(60 * MIB, 100 * MIB));
        assertTrue(pace.isDue(60 * MIB, 100 * MIB));
        assertFalse(pace.isDue(60 * MIB, 100 * MIB));
        assertTrue(pace.isDue(60 * MIB, 100 * MIB));
    }

    @Test
    void the_larger_the_last_one_is_the_longer_may_the_log_become_but_within_bounds() {
        assertFalse(pace.isDue(64 * MIB - 1, 0));
        assertTrue(pace.isDue(1, 0));
        assertFalse(pace.isDue(150 * MIB - 1, 150 * MIB));
        assertTrue(pace.isDue(1, 150 * MIB));
        assertFalse(pace.isDue(200 * MIB - 1, 5_000 * MIB));
        assertTrue(pace.isDue(1, 5_000 * MIB));
        SnapshotPace often = new SnapshotPace(4096, () -> nanos);
        assertTrue(often.isDue(4096, 5_000 * MIB));
    }

    @Test
    void when_another_node_copies_one_then_the_next_waits_until_that_node_has_had_time_to_go_on() {
        pace.onCopy();
        assertFalse(pace.isDue(120 * MIB, 100 * MIB));
        nanos += TimeUnit.SECONDS.toNanos(9);
        pace.onCopy();
        nanos += TimeUnit.SECONDS.toNanos(9);
        assertFalse(pace.isDue(1, 100 * MIB));
        nanos += TimeUnit.SECONDS.toNanos(1);
        assertTrue(pace.isDue(1, 100 * MIB));
    }

    @Test
    void a_node_that_copies_for_ever_does_not_let_the_log_grow_for_ever() {
        for (int i = 0; i < 3; i++) {
            pace.onCopy();
            assertFalse(pace.isDue(100 * MIB, 100 * MIB));
        }
        pace.onCopy();
        assertTrue(pace.isDue(100 * MIB, 100 * MIB));
    }

    @Test
    void when_a_snapshot_is_gone_then_who_copies_it_does_not_ask_again() {
        Message gone = RpcFactoryHelper.responseFactory()
                .newResponse(GetFileResponse.getDefaultInstance(), RaftError.ENOENT, "Fail to find reader=%d", 7);
        assertEquals(RaftError.ECANCELED.getNumber(), ((ErrorResponse) SnapshotPace.finalIfGone(gone)).getErrorCode());
        Message later = RpcFactoryHelper.responseFactory()
                .newResponse(GetFileResponse.getDefaultInstance(), RaftError.EAGAIN, "not now");
        assertSame(later, SnapshotPace.finalIfGone(later));
        Message piece = GetFileResponse.getDefaultInstance();
        assertSame(piece, SnapshotPace.finalIfGone(piece));
    }
}
