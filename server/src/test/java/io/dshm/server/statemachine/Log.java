package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.DeleteCommand;
import io.dshm.proto.wire.ExpireCommand;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.IncrNumberCommand;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.PopCommand;
import io.dshm.proto.wire.PurgeCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.ReleaseCommand;
import io.dshm.proto.wire.RemoveCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.proto.wire.TouchCommand;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.proto.wire.WriteCondition;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A log for tests: entries written in words, applied to any number of state machines. */
final class Log {

    static final long ORIGIN = 7;

    private final List<byte[]> entries = new ArrayList<>();
    private long nowMillis = 1_000_000;
    private long nextSequence = 1;

    Log() {
        append(register("n1", 1, 1, ORIGIN));
    }

    Log passSeconds(double seconds) {
        nowMillis += (long) (seconds * 1000);
        return this;
    }

    long nowMillis() {
        return nowMillis;
    }

    /** Appends these records as one entry. */
    long append(CommandRecord.Builder... records) {
        LogEntry.Builder entry = LogEntry.newBuilder().setStampMillis(nowMillis).setWallMillis(nowMillis + 5);
        for (CommandRecord.Builder record : records) {
            entry.addRecords(record);
        }
        entries.add(entry.build().toByteArray());
        return entries.size();
    }

    long settle(long below) {
        entries.add(LogEntry.newBuilder()
                .setStampMillis(nowMillis)
                .addSettled(Settled.newBuilder().setOrigin(ORIGIN).setBelow(below))
                .build()
                .toByteArray());
        return entries.size();
    }

    long size() {
        return entries.size();
    }

    /** Applies what the state machine has not applied yet; the outcomes of the last entry. */
    Outcome[] applyTo(StateMachine stateMachine) {
        return applyTo(stateMachine, size());
    }

    Outcome[] applyTo(StateMachine stateMachine, long lastIndex) {
        Outcome[] outcomes = {};
        for (long index = stateMachine.appliedIndex() + 1; index <= lastIndex; index++) {
            outcomes = stateMachine.apply(index, ByteBuffer.wrap(entries.get((int) index - 1)));
        }
        return outcomes;
    }

    /** Appends one command, under the next number, and applies it. */
    Outcome run(StateMachine stateMachine, CommandRecord.Builder record) {
        append(next(record));
        return applyTo(stateMachine)[0];
    }

    CommandRecord.Builder next(CommandRecord.Builder record) {
        return record.setOrigin(ORIGIN).setSequence(nextSequence++);
    }

    static CommandRecord.Builder register(String node, long folder, long start, long... origins) {
        RegisterNode.Builder command =
                RegisterNode.newBuilder().setNode(node).setFolder(folder).setStart(start);
        for (long origin : origins) {
            command.addOrigins(origin);
        }
        return CommandRecord.newBuilder().setRegisterNode(command);
    }

    static CommandRecord.Builder switchFormat(int format) {
        return CommandRecord.newBuilder()
                .setSwitchFormat(SwitchFormat.newBuilder().setFormat(format));
    }

    static CommandRecord.Builder set(String key, String value, double seconds) {
        return CommandRecord.newBuilder()
                .setSet(SetCommand.newBuilder()
                        .setKey(bytes(key))
                        .setValue(bytes(value))
                        .setTtlMillis((long) (seconds * 1000)));
    }

    static CommandRecord.Builder touch(String key, double seconds) {
        return CommandRecord.newBuilder()
                .setTouch(TouchCommand.newBuilder().setKey(bytes(key)).setTtlMillis((long) (seconds * 1000)));
    }

    static CommandRecord.Builder delete(String key) {
        return CommandRecord.newBuilder().setDelete(DeleteCommand.newBuilder().setKey(bytes(key)));
    }

    static CommandRecord.Builder incr(String key, long by, long init) {
        return CommandRecord.newBuilder()
                .setIncr(IncrCommand.newBuilder().setKey(bytes(key)).setBy(by).setInit(init));
    }

    static CommandRecord.Builder rateLimiter(String key, long capacity, double seconds) {
        return CommandRecord.newBuilder()
                .setRateLimiter(RateLimiterCommand.newBuilder()
                        .setKey(bytes(key))
                        .setCapacity(capacity)
                        .setDurationMillis((long) (seconds * 1000)));
    }

    static CommandRecord.Builder take(String key, LimitAlgorithm algorithm, long limit, long periodMillis, long cost) {
        boolean bursts = algorithm == LimitAlgorithm.GCRA || algorithm == LimitAlgorithm.LEAKY;
        return CommandRecord.newBuilder()
                .setTake(TakeCommand.newBuilder()
                        .setKey(bytes(key))
                        .setAlgorithm(algorithm)
                        .setLimit(limit)
                        .setPeriodMillis(periodMillis)
                        .setBurst(bursts ? Math.max(0, limit - 1) : 0)
                        .setCost(cost));
    }

    static CommandRecord.Builder take(String key, String policy, long cost) {
        return CommandRecord.newBuilder()
                .setTake(TakeCommand.newBuilder()
                        .setKey(bytes(key))
                        .setPolicyKey(bytes("policies::" + policy))
                        .setCost(cost));
    }

    static CommandRecord.Builder acquire(String key, long limit, String holder, long ttlMillis) {
        return CommandRecord.newBuilder()
                .setAcquire(AcquireCommand.newBuilder()
                        .setKey(bytes(key))
                        .setLimit(limit)
                        .setHolder(bytes(holder))
                        .setTtlMillis(ttlMillis));
    }

    static CommandRecord.Builder release(String key, String holder) {
        return CommandRecord.newBuilder()
                .setRelease(ReleaseCommand.newBuilder().setKey(bytes(key)).setHolder(bytes(holder)));
    }

    static CommandRecord.Builder takeAll(CommandRecord.Builder... takes) {
        TakeAllCommand.Builder all = TakeAllCommand.newBuilder();
        for (CommandRecord.Builder take : takes) {
            all.addTakes(take.getTake());
        }
        return CommandRecord.newBuilder().setTakeAll(all);
    }

    static CommandRecord.Builder shadow(CommandRecord.Builder take) {
        take.getTakeBuilder().setShadow(true);
        return take;
    }

    static CommandRecord.Builder flushAll(String region) {
        return CommandRecord.newBuilder()
                .setFlushAll(FlushAllCommand.newBuilder().setRegion(bytes(region)));
    }

    static CommandRecord.Builder chunk(long upload, int length, int offset, String data) {
        return CommandRecord.newBuilder()
                .setChunk(ValueChunk.newBuilder()
                        .setUpload(upload)
                        .setValueLength(length)
                        .setOffset(offset)
                        .setData(bytes(data)));
    }

    static CommandRecord.Builder setChunked(String key, long upload, int length) {
        return CommandRecord.newBuilder()
                .setSetChunked(SetChunkedCommand.newBuilder()
                        .setKey(bytes(key))
                        .setUpload(upload)
                        .setValueLength(length));
    }

    static CommandRecord.Builder put(String key, TypedValue.Builder value, double seconds, WriteCondition condition) {
        return CommandRecord.newBuilder()
                .setPut(PutCommand.newBuilder()
                        .setKey(bytes(key))
                        .setTtlMillis((long) (seconds * 1000))
                        .setValue(value)
                        .setCondition(condition));
    }

    static CommandRecord.Builder put(String key, String value, double seconds) {
        return put(key, string(value), seconds, WriteCondition.getDefaultInstance());
    }

    static CommandRecord.Builder put(String key, double value, double seconds) {
        TypedValue.Builder number = TypedValue.newBuilder().setNumber(value);
        return put(key, number, seconds, WriteCondition.getDefaultInstance());
    }

    static TypedValue.Builder string(String value) {
        return TypedValue.newBuilder().setString(bytes(value));
    }

    static CommandRecord.Builder putChunked(String key, long upload, int length, WriteCondition condition) {
        return CommandRecord.newBuilder()
                .setPutChunked(PutChunkedCommand.newBuilder()
                        .setPut(PutCommand.newBuilder()
                                .setKey(bytes(key))
                                .setValue(string(""))
                                .setCondition(condition))
                        .setUpload(upload)
                        .setValueLength(length));
    }

    static CommandRecord.Builder remove(String key, WriteCondition condition) {
        return CommandRecord.newBuilder()
                .setRemove(RemoveCommand.newBuilder().setKey(bytes(key)).setCondition(condition));
    }

    static CommandRecord.Builder expire(String key, double seconds) {
        return CommandRecord.newBuilder()
                .setExpire(ExpireCommand.newBuilder().setKey(bytes(key)).setTtlMillis((long) (seconds * 1000)));
    }

    static CommandRecord.Builder incrNumber(String key, double by) {
        return CommandRecord.newBuilder()
                .setIncrNumber(IncrNumberCommand.newBuilder().setKey(bytes(key)).setBy(by));
    }

    static CommandRecord.Builder incrNumber(String key, double by, double init, double seconds) {
        CommandRecord.Builder record = incrNumber(key, by);
        record.getIncrNumberBuilder().setInit(init).setInitTtlMillis((long) (seconds * 1000));
        return record;
    }

    static CommandRecord.Builder push(String key, boolean left, String element) {
        return CommandRecord.newBuilder()
                .setPush(PushCommand.newBuilder()
                        .setKey(bytes(key))
                        .setLeft(left)
                        .setString(bytes(element)));
    }

    static CommandRecord.Builder push(String key, boolean left, double element) {
        return CommandRecord.newBuilder()
                .setPush(PushCommand.newBuilder()
                        .setKey(bytes(key))
                        .setLeft(left)
                        .setNumber(element));
    }

    static CommandRecord.Builder pop(String key, boolean left) {
        return CommandRecord.newBuilder()
                .setPop(PopCommand.newBuilder().setKey(bytes(key)).setLeft(left));
    }

    static CommandRecord.Builder multi(CommandRecord.Builder... writes) {
        MultiCommand.Builder multi = MultiCommand.newBuilder();
        for (CommandRecord.Builder write : writes) {
            multi.addWrites(write);
        }
        return CommandRecord.newBuilder().setMulti(multi);
    }

    static CommandRecord.Builder purge(String... keys) {
        PurgeCommand.Builder purge = PurgeCommand.newBuilder();
        for (String key : keys) {
            purge.addKeys(bytes(key));
        }
        return CommandRecord.newBuilder().setPurge(purge);
    }

    private static ByteString bytes(String text) {
        return ByteString.copyFromUtf8(text);
    }
}
