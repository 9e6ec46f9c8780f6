package io.dshm.server.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ClusterMembersTest {

    private final ClusterMembers members = new ClusterMembers("n1", Map.of("n1", "h1:1:11", "n2", "[::1]:2:12"));

    @Test
    void what_was_given_out_follows_each_change() {
        Set<String> others = members.others();
        Set<String> addresses = members.othersRaft();
        assertEquals(Set.of("n2"), others);
        assertEquals(Set.of("[::1]:2"), addresses);
        members.agreed(Map.of("n1", "h1:1:11", "n3", "h3:3:13"));
        assertEquals(Set.of("n3"), others);
        assertFalse(others.contains("n2"));
        assertFalse(others.contains("n1"), "itself");
        assertTrue(addresses.contains("h3:3"));
        assertEquals(List.of("n1=h1:1:11", "n3=h3:3:13"), members.texts());
    }

    @Test
    void an_address_is_its_member_s_and_else_its_own_name() {
        assertEquals("n2", members.nameOf("[::1]:2"));
        assertEquals("h9:9", members.nameOf("h9:9"));
    }

    @Test
    void a_listener_hears_of_changes_only() {
        AtomicInteger heard = new AtomicInteger();
        members.onChange(heard::incrementAndGet);
        members.agreed(Map.of("n1", "h1:1:11", "n2", "[::1]:2:12"));
        assertEquals(1, heard.get());
        assertTrue(members.isAgreed());
        members.agreed(Map.of("n1", "h1:1:11"));
        assertEquals(2, heard.get());
    }
}
