package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an operator reads instead of the library's words. */
class ReasonsTest {

    @ParameterizedTest
    @EnumSource(RaftError.class)
    void the_librarys_text_is_never_shown(RaftError error) {
        Status why = new Status(error, "A follower's leader_id is reset to NULL");
        assertFalse(Reasons.ofLeadingEnded(why).contains("leader_id"));
        assertFalse(Reasons.ofFollowingEnded(why).contains("leader_id"));
    }

    @Test
    void a_time_out_means_another_thing_to_a_leader_than_to_a_follower() {
        Status timeout = new Status(RaftError.ERAFTTIMEDOUT, "x");
        assertEquals("fewer than a majority of the nodes answer", Reasons.ofLeadingEnded(timeout));
        assertEquals("the leader was silent for too long", Reasons.ofFollowingEnded(timeout));
    }

    @Test
    void other_members_than_the_cluster_has_are_a_warning() {
        assertNull(Reasons.membersDiffer(Set.of("a:1", "b:1"), Set.of("b:1", "a:1")));
        assertNotNull(Reasons.membersDiffer(Set.of("a:1", "c:1"), Set.of("b:1", "a:1")));
    }
}
