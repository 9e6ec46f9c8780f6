package io.dshm.server.replication.writes;

import com.google.protobuf.InvalidProtocolBufferException;
import com.sun.management.ThreadMXBean;
import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.statemachine.Admission;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What an INCR costs on its way, without network, disk and threads: processor time of the thread and bytes that it allocates, so that other
 * programs do not count. Measured by hand, see server/README.md.
 */
final class CommandCosts {

    /** In an entry and in a message: as many as travel together under load. */
    private static final int TOGETHER = 32;

    private static final int KEYS = 1_000;
    private static final int REPEATS = 4_000;

    /** The fastest of them counts. */
    private static final int ROUNDS = 12;

    private static final long ORIGIN = 7;
    private static final StrictParser<PeerMessage> MESSAGES = new StrictParser<>(PeerMessage.parser());
    private static final StrictParser<LogEntry> ENTRIES = new StrictParser<>(LogEntry.parser());

    private final ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
    private final List<Command.Incr> commands = IntStream.range(0, KEYS)
            .mapToObj(i -> new Command.Incr(Key.of(("c" + i).getBytes(StandardCharsets.US_ASCII)), 1, 0, 0))
            .toList();

    /** So that nothing is left out because nobody needs it. */
    private volatile Object kept = thread;

    private long index;
    private long sequence = 1;

    private interface Step {
        Object run(int repeat) throws InvalidProtocolBufferException;
    }

    private CommandCosts() {
        apply(LogEntry.newBuilder()
                .setStampMillis(1)
                .addRecords(CommandRecord.newBuilder()
                        .setRegisterNode(RegisterNode.newBuilder()
                                .setNode("n1")
                                .setFolder(1)
                                .setStart(1)
                                .addOrigins(ORIGIN)))
                .addRecords(CommandRecord.newBuilder()
                        .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS))));
    }

    private Outcome[] apply(LogEntry.Builder entry) {
        return stateMachine.apply(++index, ByteBuffer.wrap(entry.build().toByteArray()));
    }

    private void measure(String what, Step step) throws InvalidProtocolBufferException {
        long nanos = Long.MAX_VALUE;
        long bytes = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long nanosBefore = thread.getCurrentThreadCpuTime();
            long bytesBefore = thread.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < REPEATS; i++) {
                kept = step.run(i);
            }
            bytes = thread.getCurrentThreadAllocatedBytes() - bytesBefore;
            nanos = Math.min(nanos, thread.getCurrentThreadCpuTime() - nanosBefore);
        }
        if (kept == thread) {
            throw new IllegalStateException("a step without a result");
        }
        int done = REPEATS * TOGETHER;
        System.out.printf("| %s | %d ns | %d B |%n", what, nanos / done, bytes / done);
    }

    private CommandRecord record(long number) {
        CommandRecord record = Records.of(commands.get((int) (number * 13 % KEYS)))
                .setOrigin(ORIGIN)
                .setSequence(number)
                .build();
        Admission.require(record);
        return record;
    }

    private static Forward.Builder forward(List<CommandRecord> records) {
        return Forward.newBuilder().setTerm(1).addAllRecords(records).setSettled(settled(1));
    }

    private static Settled.Builder settled(long below) {
        return Settled.newBuilder().setOrigin(ORIGIN).setBelow(below);
    }

    private LogEntry.Builder entry(List<CommandRecord> records) {
        return LogEntry.newBuilder()
                .setStampMillis(1_000 + index)
                .setWallMillis(1_000 + index)
                .addAllRecords(records)
                .addSettled(settled(records.get(0).getSequence()));
    }

    private static byte[] reply(Outcome[] outcomes) {
        ForwardReply.Builder reply = ForwardReply.newBuilder().setOrigin(ORIGIN).setIndex(1);
        for (int i = 0; i < outcomes.length; i++) {
            reply.addResults(outcomes[i].toWire(1_000_000 + i));
        }
        return PeerMessage.newBuilder().setForwardReply(reply).build().toByteArray();
    }

    private void measureAll() throws InvalidProtocolBufferException {
        measure("a record of the command", repeat -> {
            Object last = thread;
            for (int i = 0; i < TOGETHER; i++) {
                last = record(1_000_000 + i);
            }
            return last;
        });
        List<CommandRecord> records = Stream.iterate(1_000_000L, number -> number + 1)
                .limit(TOGETHER)
                .map(this::record)
                .toList();
        measure(
                "to the leader: written",
                repeat -> PeerMessage.newBuilder()
                        .setForward(forward(records))
                        .build()
                        .toByteArray());
        byte[] forwarded =
                PeerMessage.newBuilder().setForward(forward(records)).build().toByteArray();
        measure("to the leader: read and admitted", repeat -> {
            // A copy of its own, as the transport makes one.
            PeerMessage message = MESSAGES.parse(ByteBuffer.wrap(forwarded.clone()));
            message.getForward().getRecordsList().forEach(Admission::require);
            return message;
        });
        measure("the log entry, written", repeat -> entry(records).build().toByteArray());
        byte[] entry = entry(records).build().toByteArray();
        measure("the log entry, read", repeat -> ENTRIES.parse(ByteBuffer.wrap(entry)));
        byte[][] entries = new byte[ROUNDS * REPEATS][];
        Arrays.setAll(entries, i -> {
            List<CommandRecord> next = Stream.iterate(sequence, number -> number + 1)
                    .limit(TOGETHER)
                    .map(this::record)
                    .toList();
            sequence += TOGETHER;
            return entry(next).build().toByteArray();
        });
        int[] applied = {0};
        Outcome[][] outcomes = {new Outcome[0]};
        measure("the log entry, read and applied", repeat -> {
            outcomes[0] = stateMachine.apply(++index, ByteBuffer.wrap(entries[applied[0]++]));
            return outcomes[0];
        });
        measure("to the follower: outcomes written", repeat -> reply(outcomes[0]));
        byte[] reply = reply(outcomes[0]);
        measure(
                "to the follower: outcomes read",
                repeat ->
                        MESSAGES
                                .parseLeniently(ByteBuffer.wrap(reply.clone()))
                                .getForwardReply()
                                .getResultsList()
                                .stream()
                                .map(Outcome::fromWire)
                                .toList());
    }

    /** Prints the rows of a table. */
    public static void main(String[] args) throws InvalidProtocolBufferException {
        new CommandCosts().measureAll();
    }
}
