package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.dshm.proto.Formats;
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
        try (StateView view = stateMachine.view()) {
            new SnapshotWriter(folder, view).write();
        }
        StateMachine copy = StateMachineTest.newStateMachine();
        copy.load(new SnapshotReader(folder));
        assertEquals(stateMachine.cluster(), copy.cluster());
        assertEquals(digest(stateMachine), digest(copy));
    }

    @Test
    void nobody_but_a_leader_proposes_them() {
        assertFalse(Admission.admits(found(7).build()));
        assertFalse(Admission.admits(change(member("n1", ""), true).build()));
    }
}
