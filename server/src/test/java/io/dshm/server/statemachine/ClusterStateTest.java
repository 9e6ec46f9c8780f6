package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.ChangeMember;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.FoundCluster;
import io.dshm.proto.wire.Member;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterStateTest {

    @TempDir
    Path folder;

    private final Log log = new Log();
    private final StateMachine stateMachine = StateMachineTest.newStateMachine();

    @BeforeEach
    void switchFormat() {
        append(Log.switchFormat(Formats.BOUNDS));
    }

    private long append(CommandRecord.Builder record) {
        long index = log.append(record);
        log.applyTo(stateMachine);
        return index;
    }

    private static Member member(String name, String address) {
        return Member.newBuilder().setName(name).setAddress(address).build();
    }

    private static CommandRecord.Builder found(long id, Member... members) {
        FoundCluster.Builder found = FoundCluster.newBuilder().setId(id);
        for (Member member : members) {
            found.addMembers(member);
        }
        return CommandRecord.newBuilder().setFoundCluster(found);
    }

    private static CommandRecord.Builder change(Member member, boolean removed) {
        return CommandRecord.newBuilder()
                .setChangeMember(ChangeMember.newBuilder().setMember(member).setRemoved(removed));
    }

    private static long digest(StateMachine of) {
        try (StateView view = of.view()) {
            return view.digest().digest();
        }
    }

    @Test
    void the_first_id_counts_and_its_index_and_the_members_that_came_with_it() {
        assertEquals(ClusterState.NONE, stateMachine.cluster());
        long since = append(found(7, member("n2", "h2:1:11"), member("n1", "h1:1:11")));
        append(found(8, member("n9", "h9:1:11")));
        assertEquals(7, stateMachine.cluster().id());
        assertEquals(since, stateMachine.cluster().since());
        assertEquals(
                Map.of("n1", "h1:1:11", "n2", "h2:1:11"), stateMachine.cluster().members());
    }

    @Test
    void members_come_move_and_go() {
        append(found(7, member("n1", "h1:1:11")));
        append(change(member("n2", "h2:1:11"), false));
        append(change(member("n1", "h3:1:11"), false));
        assertEquals(
                Map.of("n1", "h3:1:11", "n2", "h2:1:11"), stateMachine.cluster().members());
        append(change(member("n1", ""), true));
        append(change(member("n1", ""), true));
        assertEquals(Map.of("n2", "h2:1:11"), stateMachine.cluster().members());
    }

    @Test
    void each_change_changes_the_digest_and_a_snapshot_keeps_all_of_it() throws IOException {
        long none = digest(stateMachine);
        append(found(7, member("n1", "h1:1:11")));
        long founded = digest(stateMachine);
        append(change(member("n2", "h2:1:11"), false));
        assertNotEquals(none, founded);
        assertNotEquals(founded, digest(stateMachine));
        StateMachine copy = copy();
        assertEquals(stateMachine.cluster(), copy.cluster());
        assertEquals(digest(stateMachine), digest(copy));
    }

    private Outcome outcomeOf(CommandRecord.Builder record) {
        log.append(record);
        return log.applyTo(stateMachine)[0];
    }

    private static CommandRecord.Builder incr(long origin, long sequence) {
        return Log.incr("k", 1, 0).setOrigin(origin).setSequence(sequence);
    }

    @Test
    void of_a_removed_node_no_command_is_applied_and_no_start_that_was_before() {
        append(found(7, member("n1", "h1:1:11"), member("n2", "h2:1:11")));
        assertEquals(Outcome.APPLIED, outcomeOf(Log.register("n2", 5, 3, 23)));
        assertEquals(Outcome.Kind.APPLIED, outcomeOf(incr(23, 1)).kind());
        append(change(member("n2", ""), true));
        assertEquals(Outcome.UNKNOWN_ORIGIN, outcomeOf(incr(23, 2)));
        assertEquals(Outcome.EXISTS, outcomeOf(Log.register("n2", 5, 4, 24)), "it is no member");
        append(change(member("n2", "h2:1:11"), false));
        assertEquals(Outcome.EXISTS, outcomeOf(Log.register("n2", 5, 3, 23)), "a late copy");
        assertEquals(Outcome.EXISTS, outcomeOf(Log.register("n2", 5, 2, 22)), "an earlier one");
        assertEquals(Outcome.UNKNOWN_ORIGIN, outcomeOf(incr(23, 1)));
        assertEquals(Outcome.APPLIED, outcomeOf(Log.register("n2", 5, 4, 24)), "it has started again");
        assertEquals(Outcome.Kind.APPLIED, outcomeOf(incr(24, 1)).kind());
        append(change(member("n2", ""), true));
        append(change(member("n2", "h2:1:11"), false));
        assertEquals(Outcome.APPLIED, outcomeOf(Log.register("n2", 6, 1, 25)), "it has lost its folder");
        assertEquals(Outcome.Kind.APPLIED, outcomeOf(incr(25, 1)).kind());
    }

    @Test
    void an_earlier_start_with_the_folder_that_is_registered_is_replaced_and_no_other() {
        assertFalse(stateMachine.isReplaced("n2", 5, 1));
        append(Log.register("n2", 5, 3, 23));
        assertTrue(stateMachine.isReplaced("n2", 5, 2));
        assertFalse(stateMachine.isReplaced("n2", 5, 3));
        assertFalse(stateMachine.isReplaced("n2", 5, 4));
        assertFalse(stateMachine.isReplaced("n2", 6, 1), "a new folder begins to count anew");
        assertFalse(stateMachine.isReplaced("n2", 0, 0), "a node of format 1 does not say it");
        assertFalse(stateMachine.isReplaced("n1", 5, 1));
    }

    @Test
    void nobody_but_members_registers() {
        assertEquals(Outcome.APPLIED, outcomeOf(Log.register("n3", 5, 1, 31)), "nobody knows who is one");
        append(found(7, member("n1", "h1:1:11")));
        assertEquals(Outcome.EXISTS, outcomeOf(Log.register("n2", 6, 1, 32)));
        append(change(member("n2", "h2:1:11"), false));
        assertEquals(Outcome.APPLIED, outcomeOf(Log.register("n2", 6, 1, 32)));
    }

    @Test
    void ten_thousand_nodes_that_come_and_go_leave_no_more_than_a_hundred() throws IOException {
        append(found(7, member("n1", "h1:1:11")));
        long most = 0;
        for (int i = 0; i < 10_000; i++) {
            String name = "x" + i;
            append(change(member(name, "h2:1:11"), false));
            CommandRecord.Builder registration = Log.register(name, i + 1, 1, 1000 + i);
            registration.getRegisterNodeBuilder().setStateBytesMax(Limits.STATE_BYTES_MAX_MIN + i);
            append(registration);
            append(incr(1000 + i, 1));
            append(change(member(name, ""), true));
            if (i == 100) {
                most = stateMachine.bytes() - stateMachine.store().bytes();
            }
        }
        // The counter itself has more digits by now.
        assertEquals(most, stateMachine.bytes() - stateMachine.store().bytes());
        assertEquals(MemoryLimit.NONE, stateMachine.memory().bytesMax());
        // The one that was removed last is remembered, also in a snapshot.
        append(change(member("x9999", "h2:1:11"), false));
        StateMachine copy = copy();
        assertEquals(digest(stateMachine), digest(copy));
        log.append(Log.register("x9999", 10_000, 1, 10_999));
        assertEquals(Outcome.EXISTS, log.applyTo(stateMachine)[0]);
        assertEquals(Outcome.EXISTS, log.applyTo(copy)[0]);
    }

    private StateMachine copy() throws IOException {
        try (StateView view = stateMachine.view()) {
            new SnapshotWriter(folder, view).write();
        }
        StateMachine copy = StateMachineTest.newStateMachine();
        copy.load(new SnapshotReader(folder));
        return copy;
    }

    @Test
    void nobody_but_a_leader_proposes_them() {
        assertFalse(Admission.admits(found(7).build()));
        assertFalse(Admission.admits(change(member("n1", ""), true).build()));
    }
}
