package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.google.protobuf.Message;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Views of the state: one at a time, and whatever is thrown while one is opened, another one can be opened afterwards. */
class ApplyAdapterTest {

    @TempDir
    Path folder;

    private final StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
    private final List<Status> ends = new ArrayList<>();
    private int applied;
    private final AtomicInteger snapshotsDue = new AtomicInteger();

    private ApplyAdapter adapter(Executor snapshots) {
        return new ApplyAdapter(stateMachine, snapshots, new Silent());
    }

    private void register(String node, long start, long origin) {
        RegisterNode command = RegisterNode.newBuilder()
                .setNode(node)
                .setStart(start)
                .addOrigins(origin)
                .build();
        LogEntry entry = LogEntry.newBuilder()
                .addRecords(CommandRecord.newBuilder().setRegisterNode(command))
                .build();
        stateMachine.apply(++applied, ByteBuffer.wrap(entry.toByteArray()));
    }

    @Test
    void when_a_view_cannot_be_opened_then_the_next_one_can() throws InterruptedException {
        register("n1", 1, 7);
        register("n2", 1, 7);
        register("n2", 2, 8);
        ApplyAdapter adapter = adapter(Runnable::run);
        assertThrows(IllegalStateException.class, () -> adapter.digest(0));
        adapter.onSnapshotSave(new Folder(), ends::add);
        assertFalse(ends.get(0).isOk(), "the node n1 has no table of outcomes");
        register("n1", 2, 9);
        adapter.onSnapshotSave(new Folder(), ends::add);
        assertTrue(ends.get(1).isOk(), ends.get(1)::toString);
        assertEquals(applied, adapter.digest(0).index());
    }

    @Test
    void when_nobody_can_write_then_the_view_is_closed_again() throws InterruptedException {
        register("n1", 1, 7);
        ApplyAdapter adapter = adapter(task -> {
            throw new RejectedExecutionException("stopping");
        });
        adapter.onSnapshotSave(new Folder(), ends::add);
        assertFalse(ends.get(0).isOk());
        assertEquals(applied, adapter.digest(0).index());
    }

    /** SOFAJRaft's view of the folder that a snapshot is written to. */
    private class Folder extends SnapshotWriter {
        @Override
        public boolean init(Void options) {
            return true;
        }

        @Override
        public void shutdown() {}

        @Override
        public String getPath() {
            return folder.toString();
        }

        @Override
        public Set<String> listFiles() {
            return Set.of();
        }

        @Override
        public @Nullable Message getFileMeta(String name) {
            return null;
        }

        @Override
        public boolean saveMeta(SnapshotMeta meta) {
            return true;
        }

        @Override
        public boolean addFile(String name, Message meta) {
            return true;
        }

        @Override
        public boolean removeFile(String name) {
            return true;
        }

        @Override
        public void close(boolean keepDataOnError) {}

        @Override
        public void close() {}
    }

    @Test
    void until_a_snapshot_is_handed_over_its_folder_keeps_room_for_what_the_library_adds() {
        register("n1", 1, 7);
        Path room = folder.resolve(SnapshotFolder.ROOM);
        List<Boolean> kept = new ArrayList<>();
        Folder watched = new Folder() {
            @Override
            public boolean addFile(String name, Message meta) {
                return kept.add(Files.exists(room));
            }
        };
        adapter(Runnable::run).onSnapshotSave(watched, status -> {
            ends.add(status);
            assertFalse(Files.exists(room));
        });
        assertTrue(ends.get(0).isOk());
        assertEquals(Set.of(true), Set.copyOf(kept));
    }

    @Test
    void a_snapshot_that_comes_during_a_digest_follows_it() throws InterruptedException {
        register("n1", 1, 7);
        ApplyAdapter adapter = adapter(Runnable::run);
        Thread digesting = new Thread(() -> {
            try {
                adapter.digest(0);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        synchronized (stateMachine) {
            digesting.start();
            // It has the permit and waits for the state.
            while (digesting.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
            }
            adapter.onSnapshotSave(new Folder(), ends::add);
        }
        digesting.join();
        assertEquals(RaftError.EBUSY, ends.get(0).getRaftError());
        assertEquals(1, snapshotsDue.get(), "the digest has it taken when it has ended");
        adapter.onSnapshotSave(new Folder(), ends::add);
        assertTrue(ends.get(1).isOk(), ends.get(1)::toString);
        adapter.digest(0);
        assertEquals(1, snapshotsDue.get(), "no other one is due");
    }

    private final class Silent implements ApplyAdapter.Listener {
        @Override
        public void onMembers(Set<String> addresses) {}

        @Override
        public void onApplied(long index) {}

        @Override
        public void onAppliedBatch(long bytes) {}

        @Override
        public void onSnapshotDue() {
            snapshotsDue.incrementAndGet();
        }

        @Override
        public void onSnapshotWritten(Path folder, long nanos) {}

        @Override
        public void onSnapshotFailed() {}

        @Override
        public void onSnapshotLoaded(Path folder) {}

        @Override
        public void onLeading(long term) {}

        @Override
        public void onLeadingEnded(Status why) {}

        @Override
        public void onFollowing(PeerId leader, long term) {}

        @Override
        public void onFollowingEnded(long term, Status why) {}

        @Override
        public void onFatal(String why) {
            throw new AssertionError(why);
        }
    }
}
