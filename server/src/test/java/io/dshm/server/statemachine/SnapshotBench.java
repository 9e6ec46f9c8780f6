package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import io.dshm.proto.snapshot.SnapshotFormat;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.Settled;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Measures how much processor time it takes to write a snapshot of many entries, of 16-byte keys and 32-byte values, and to load it. Not a
 * test; server/README.md has the command and what came out of it.
 *
 * <p>The arguments are the number of entries and an empty folder on a disk.
 */
public final class SnapshotBench {

    private static final long ORIGIN = 7;
    private static final int RECORDS = 100;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final int count;
    private final Path folder;

    private SnapshotBench(int count, Path folder) {
        this.count = count;
        this.folder = folder;
    }

    public static void main(String[] args) throws IOException {
        new SnapshotBench(Integer.parseInt(args[0]), Path.of(args[1])).run();
    }

    /** What is measured. */
    private interface Work {
        void run() throws IOException;
    }

    private void run() throws IOException {
        StateMachine full = StateMachineTest.newStateMachine();
        fill(full);
        for (int round = 1; round <= 2; round++) {
            measure("write", () -> {
                try (StateView view = full.view()) {
                    new SnapshotWriter(folder, view).write();
                }
            });
            measure("load", () -> StateMachineTest.newStateMachine().load(new SnapshotReader(folder)));
            for (int part = 0; Files.deleteIfExists(folder.resolve(SnapshotFormat.fileName(part))); part++) {
                // The next file.
            }
        }
    }

    private void fill(StateMachine stateMachine) {
        stateMachine.apply(1, bytes(LogEntry.newBuilder().addRecords(Log.register("n1", 1, 1, ORIGIN))));
        byte[] value = new byte[32];
        for (int done = 0; done < count; done += RECORDS) {
            LogEntry.Builder entry = LogEntry.newBuilder()
                    .setStampMillis(1)
                    .addSettled(Settled.newBuilder().setOrigin(ORIGIN).setBelow(done));
            for (int i = done; i < done + RECORDS; i++) {
                SetCommand.Builder set = SetCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8(String.format("key-%012d", i)))
                        .setValue(ByteString.copyFrom(value));
                entry.addRecords(
                        CommandRecord.newBuilder().setSet(set).setOrigin(ORIGIN).setSequence(i + 1L));
            }
            stateMachine.apply(2 + done, bytes(entry));
        }
    }

    private static ByteBuffer bytes(LogEntry.Builder entry) {
        return ByteBuffer.wrap(entry.build().toByteArray());
    }

    private void measure(String what, Work work) throws IOException {
        long nanos = System.nanoTime();
        long own = threads.getCurrentThreadCpuTime();
        long all = system.getProcessCpuTime();
        long bytes = threads.getCurrentThreadAllocatedBytes();
        work.run();
        System.out.printf(
                "%s: this thread %d ns an entry, all threads %d ns, elapsed %d ns; %d bytes allocated by this thread%n",
                what,
                (threads.getCurrentThreadCpuTime() - own) / count,
                (system.getProcessCpuTime() - all) / count,
                (System.nanoTime() - nanos) / count,
                (threads.getCurrentThreadAllocatedBytes() - bytes) / count);
    }
}
