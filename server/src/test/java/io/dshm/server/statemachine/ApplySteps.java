package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.ValueChunk;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.function.IntConsumer;
import org.HdrHistogram.Histogram;

/**
 * A state that is full in every respect, and single steps of the thread that applies. {@link StepsTest} bounds what they
 * allocate; {@link #main} measures how long they take, by hand, see server/README.md.
 */
final class ApplySteps {

    private static final long ORIGIN = 7;
    private static final int LIST = 500_000;
    private static final int VIEWS = 5;
    private static final int VALUES = 50;

    /** All pieces of the largest value, and two steps more. */
    static final int UPLOAD_STEPS = Limits.VALUE_BYTES_MAX / Limits.CHUNK_BYTES + 2;

    private static final ByteString PIECE = ByteString.copyFrom(new byte[Limits.CHUNK_BYTES]);

    final StateMachine stateMachine = StateMachineTest.newStateMachine();
    final int clients;
    private final int entries;
    private long index;
    private long sequence;
    private long nowMillis = 1_000_000;

    /** So many entries with a time to live, and one list and one limiter of the largest size; for clients see {@link #newClient}. */
    ApplySteps(int entries, int clients) {
        this.entries = entries;
        this.clients = clients;
        apply(Log.register("n1", 1, 1, ORIGIN));
        apply(Log.switchFormat(Formats.BOUNDS));
        for (int i = 0; i < LIST; i++) {
            run(CommandRecord.newBuilder()
                    .setPush(PushCommand.newBuilder()
                            .setKey(ByteString.copyFromUtf8("list"))
                            .setNumber(i)));
        }
        for (int i = 0; i < Limits.LIMITER_CAPACITY_MAX - 1000; i++) {
            run(Log.rateLimiter("limiter", Limits.LIMITER_CAPACITY_MAX, 1e9));
        }
        for (int i = 0; i < entries; i++) {
            run(set(i));
        }
    }

    /** The first command of a client. The state is full when each of them has sent it. */
    void newClient(int number) {
        run(incr(number, 1));
    }

    private void apply(CommandRecord.Builder record) {
        LogEntry.Builder entry = LogEntry.newBuilder().setStampMillis(nowMillis).addRecords(record);
        if (sequence % 1000 == 0) {
            entry.addSettled(Settled.newBuilder().setOrigin(ORIGIN).setBelow(sequence - 20_000));
        }
        stateMachine.apply(++index, ByteBuffer.wrap(entry.build().toByteArray()));
    }

    void run(CommandRecord.Builder record) {
        apply(record.setOrigin(ORIGIN).setSequence(++sequence));
    }

    void pass(long millis) {
        nowMillis += millis;
    }

    static CommandRecord.Builder incr(long client, long number) {
        return CommandRecord.newBuilder()
                .setIncr(IncrCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8("count"))
                        .setBy(1))
                .setClient(client)
                .setClientSequence(number)
                .setClientDone(number);
    }

    private static CommandRecord.Builder set(int number) {
        return CommandRecord.newBuilder()
                .setSet(SetCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8("sessions::" + number))
                        .setValue(ByteString.copyFromUtf8("a value of thirty-two bytes, or so"))
                        .setTtlMillis(2_000_000));
    }

    /** Takes an element off the list, whose near end is empty, and is abandoned. */
    static CommandRecord.Builder abandonedPop() {
        return Log.multi(
                Log.pop("list", true),
                Log.remove(
                        "absent",
                        io.dshm.proto.wire.WriteCondition.newBuilder()
                                .setPresent(true)
                                .build()));
    }

    /** Step number i of a mixture. */
    void step(int i) {
        switch (i % 8) {
            case 0 -> run(abandonedPop());
            case 1 -> run(Log.rateLimiter("limiter", Limits.LIMITER_CAPACITY_MAX, 1e9));
            case 2 -> run(incr(i % Math.max(1, clients), 2 + i / Math.max(1, clients)));
            case 3 -> run(incr(1_000_000_000L + i, 1));
            case 4 -> run(Log.flushAll("r" + i));
            case 5 -> stateMachine.purge();
            default -> run(set(i % Math.max(1, entries)));
        }
    }

    /** Step number i of {@link #UPLOAD_STEPS}: the largest value comes in pieces, is published, and a count on it is refused. */
    void uploadStep(int i) {
        int pieces = Limits.VALUE_BYTES_MAX / Limits.CHUNK_BYTES;
        if (i < pieces) {
            run(CommandRecord.newBuilder()
                    .setChunk(ValueChunk.newBuilder()
                            .setUpload(1)
                            .setOffset(i * Limits.CHUNK_BYTES)
                            .setValueLength(Limits.VALUE_BYTES_MAX)
                            .setData(PIECE)));
        } else if (i == pieces) {
            run(CommandRecord.newBuilder()
                    .setSetChunked(SetChunkedCommand.newBuilder()
                            .setKey(ByteString.copyFromUtf8("large"))
                            .setUpload(1)
                            .setValueLength(Limits.VALUE_BYTES_MAX)));
        } else {
            run(Log.incr("large", 1, 0));
        }
    }

    /** Arguments: entries, clients, steps. */
    public static void main(String[] arguments) {
        int entries = Integer.parseInt(arguments[0]);
        int clients = Integer.parseInt(arguments[1]);
        int steps = Integer.parseInt(arguments[2]);
        ApplySteps all = new ApplySteps(entries, clients);
        measure("a new client", all::newClient, clients);
        System.gc();
        for (int i = 0; i < steps; i++) {
            all.step(i);
        }
        measure("no view open", all::step, steps);
        measure("values of 32 MiB", i -> all.uploadStep(i % UPLOAD_STEPS), VALUES * UPLOAD_STEPS);
        for (int i = 0; i < VIEWS; i++) {
            long begun = nanos();
            StateView view = all.stateMachine.view();
            System.out.printf("to open a view: %.3f ms%n", (nanos() - begun) / 1e6);
            if (i < VIEWS - 1) {
                view.close();
                continue;
            }
            measure("a view open", all::step, steps);
            begun = nanos();
            view.digest();
            System.out.printf("its digest, on another thread: %.0f ms%n", (nanos() - begun) / 1e6);
            view.close();
        }
        all.pass(3_000_000);
        measure("all expired", all::step, steps);
    }

    /** What this thread has used of a processor: neither other programs nor the collector count. */
    private static long nanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static void measure(String what, IntConsumer step, int steps) {
        Histogram micros = new Histogram(3);
        for (int i = 0; i < steps; i++) {
            long begun = nanos();
            step.accept(i);
            micros.recordValue((nanos() - begun) / 1000);
        }
        System.out.printf(
                "%s: p50 %d, p99 %d, p99.9 %d, p99.99 %d, max %d microseconds%n",
                what,
                micros.getValueAtPercentile(50),
                micros.getValueAtPercentile(99),
                micros.getValueAtPercentile(99.9),
                micros.getValueAtPercentile(99.99),
                micros.getMaxValue());
    }
}
