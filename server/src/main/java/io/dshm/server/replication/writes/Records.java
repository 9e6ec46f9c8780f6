package io.dshm.server.replication.writes;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ValueType;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.DeleteCommand;
import io.dshm.proto.wire.ExpireCommand;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.GrantCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.IncrNumberCommand;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.LogTimeCommand;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.PopCommand;
import io.dshm.proto.wire.PurgeCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.ReleaseCommand;
import io.dshm.proto.wire.RemoveCommand;
import io.dshm.proto.wire.ReserveCommand;
import io.dshm.proto.wire.ReturnCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.SettleCommand;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.proto.wire.TouchCommand;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WhenFull;
import io.dshm.proto.wire.WriteCondition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes log records of commands. {@link io.dshm.server.statemachine.Admission} decides which may be proposed. */
public final class Records {

    private static final OfWrite OF_WRITE = new OfWrite();

    private Records() {}

    /** The record of a command, still without its identity. Shares the command's bytes. */
    public static CommandRecord.Builder of(Command.Write write) {
        return write.accept(CommandRecord.newBuilder(), OF_WRITE);
    }

    /** The format that the record of a command needs. */
    public static int formatOf(Command.Write write) {
        if (write instanceof Command.Identified identified) {
            return formatOf(identified.write());
        }
        boolean isNew = write instanceof Command.OfLimit
                || (write instanceof Command.Multi multi
                        && multi.writes().stream().anyMatch(one -> one instanceof Command.OfLimit));
        return isNew ? Formats.BOUNDS : Formats.FIRST;
    }

    /** Puts a command into an empty record. */
    private static final class OfWrite implements CommandVisitor.OfWrite<CommandRecord.Builder, CommandRecord.Builder> {
        @Override
        public CommandRecord.Builder set(Command.Set write, CommandRecord.Builder record) {
            return record.setSet(SetCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setTtlMillis(write.ttlMillis())
                    .setValue(UnsafeByteOperations.unsafeWrap(write.value())));
        }

        @Override
        public CommandRecord.Builder touch(Command.Touch write, CommandRecord.Builder record) {
            return record.setTouch(
                    TouchCommand.newBuilder().setKey(bytes(write.key())).setTtlMillis(write.ttlMillis()));
        }

        @Override
        public CommandRecord.Builder delete(Command.Delete write, CommandRecord.Builder record) {
            return record.setDelete(DeleteCommand.newBuilder().setKey(bytes(write.key())));
        }

        @Override
        public CommandRecord.Builder incr(Command.Incr write, CommandRecord.Builder record) {
            return record.setIncr(IncrCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setBy(write.by())
                    .setInit(write.init())
                    .setInitTtlMillis(write.initTtlMillis()));
        }

        @Override
        public CommandRecord.Builder rateLimiter(Command.RateLimiter write, CommandRecord.Builder record) {
            return record.setRateLimiter(RateLimiterCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setCapacity(write.capacity())
                    .setDurationMillis(write.durationMillis()));
        }

        @Override
        public CommandRecord.Builder put(Command.Put write, CommandRecord.Builder record) {
            return record.setWhenFull(whenFull(write.full())).setPut(putCommand(write, write.value()));
        }

        @Override
        public CommandRecord.Builder remove(Command.Remove write, CommandRecord.Builder record) {
            return record.setRemove(
                    RemoveCommand.newBuilder().setKey(bytes(write.key())).setCondition(condition(write.condition())));
        }

        @Override
        public CommandRecord.Builder expire(Command.Expire write, CommandRecord.Builder record) {
            return record.setExpire(
                    ExpireCommand.newBuilder().setKey(bytes(write.key())).setTtlMillis(write.ttlMillis()));
        }

        @Override
        public CommandRecord.Builder incrNumber(Command.IncrNumber write, CommandRecord.Builder record) {
            IncrNumberCommand.Builder command = IncrNumberCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setBy(write.by())
                    .setInitTtlMillis(write.initTtlMillis());
            Double init = write.init();
            if (init != null) {
                command.setInit(init);
            }
            return record.setWhenFull(whenFull(write.full())).setIncrNumber(command);
        }

        @Override
        public CommandRecord.Builder push(Command.Push write, CommandRecord.Builder record) {
            PushCommand.Builder command =
                    PushCommand.newBuilder().setKey(bytes(write.key())).setLeft(write.end() == Command.End.LEFT);
            return record.setWhenFull(whenFull(write.full()))
                    .setPush(
                            write.type() == ValueType.NUMBER
                                    ? command.setNumber(Doubles.parse(write.element()))
                                    : command.setString(UnsafeByteOperations.unsafeWrap(write.element())));
        }

        @Override
        public CommandRecord.Builder pop(Command.Pop write, CommandRecord.Builder record) {
            return record.setPop(
                    PopCommand.newBuilder().setKey(bytes(write.key())).setLeft(write.end() == Command.End.LEFT));
        }

        @Override
        public CommandRecord.Builder take(Command.Take write, CommandRecord.Builder record) {
            return record.setTake(takeCommand(write));
        }

        @Override
        public CommandRecord.Builder reserve(Command.Reserve write, CommandRecord.Builder record) {
            return record.setReserve(ReserveCommand.newBuilder()
                    .setTake(takeCommand(write.take()))
                    .setHold(bytes(write.hold()))
                    .setTtlMillis(write.ttlMillis()));
        }

        @Override
        public CommandRecord.Builder settle(Command.Settle write, CommandRecord.Builder record) {
            return record.setSettle(SettleCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setHold(bytes(write.hold()))
                    .setCost(write.cost()));
        }

        @Override
        public CommandRecord.Builder grant(Command.Grant write, CommandRecord.Builder record) {
            return record.setGrant(GrantCommand.newBuilder()
                    .setTake(takeCommand(write.take()))
                    .setHolder(bytes(write.holder()))
                    .setMin(write.min()));
        }

        @Override
        public CommandRecord.Builder giveBack(Command.Return write, CommandRecord.Builder record) {
            return record.setGiveBack(ReturnCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setHolder(bytes(write.holder()))
                    .setUnused(write.unused()));
        }

        @Override
        public CommandRecord.Builder acquire(Command.Acquire write, CommandRecord.Builder record) {
            return record.setAcquire(AcquireCommand.newBuilder()
                    .setKey(bytes(write.key()))
                    .setLimit(write.limit())
                    .setHolder(bytes(write.holder()))
                    .setTtlMillis(write.ttlMillis()));
        }

        @Override
        public CommandRecord.Builder release(Command.Release write, CommandRecord.Builder record) {
            return record.setRelease(
                    ReleaseCommand.newBuilder().setKey(bytes(write.key())).setHolder(bytes(write.holder())));
        }

        @Override
        public CommandRecord.Builder takeAll(Command.TakeAll write, CommandRecord.Builder record) {
            TakeAllCommand.Builder command = TakeAllCommand.newBuilder();
            write.takes().forEach(take -> command.addTakes(takeCommand(take)));
            return record.setTakeAll(command);
        }

        @Override
        public CommandRecord.Builder flushAll(Command.FlushAll write, CommandRecord.Builder record) {
            return record.setFlushAll(
                    FlushAllCommand.newBuilder().setRegion(UnsafeByteOperations.unsafeWrap(write.region())));
        }

        @Override
        public CommandRecord.Builder multi(Command.Multi write, CommandRecord.Builder record) {
            MultiCommand.Builder command = MultiCommand.newBuilder();
            write.writes().forEach(one -> command.addWrites(of(one)));
            return record.setMulti(command);
        }

        @Override
        public CommandRecord.Builder identified(Command.Identified write, CommandRecord.Builder record) {
            return identify(write.write().accept(record, this), write);
        }
    }

    private static CommandRecord.Builder identify(CommandRecord.Builder record, Command.Identified identity) {
        return record.setClient(identity.client())
                .setClientSequence(identity.sequence())
                .setClientDone(identity.done())
                .setClientRetry(identity.retry())
                .setClientUnlisted(identity.unlisted());
    }

    /** The value of a command if it is too long to be in its record, and null otherwise. */
    public static byte @Nullable [] largeValue(Command.Write write) {
        if (write.dataBytes() <= Limits.INLINE_VALUE_BYTES_MAX) {
            return null;
        }
        if (write instanceof Command.Identified identified) {
            return largeValue(identified.write());
        }
        return write instanceof Command.Set set ? set.value() : ((Command.Put) write).value();
    }

    /** The record that publishes the pieces of a {@link #largeValue}; see {@link LargeValues}. */
    public static CommandRecord.Builder publication(Command.Write write, long upload) {
        if (write instanceof Command.Identified identified) {
            return identify(publication(identified.write(), upload), identified);
        }
        if (write instanceof Command.Put put) {
            return publicationOfPut(put, upload);
        }
        Command.Set set = (Command.Set) write;
        return CommandRecord.newBuilder()
                .setSetChunked(SetChunkedCommand.newBuilder()
                        .setKey(bytes(set.key()))
                        .setTtlMillis(set.ttlMillis())
                        .setUpload(upload)
                        .setValueLength(set.value().length));
    }

    /** A record whose only effect is that the leader logs the time. */
    public static CommandRecord.Builder logTime() {
        return CommandRecord.newBuilder().setLogTime(LogTimeCommand.getDefaultInstance());
    }

    /** Removes the fields that nodes of the first format do not know and do not need. */
    public static void forFirstFormat(CommandRecord.Builder record) {
        if (record.getClientDone() > 0) {
            record.clearClientDone().clearClientRetry().clearClientUnlisted();
        }
        record.clearWhenFull();
        if (record.hasMulti()) {
            record.getMultiBuilder().getWritesBuilderList().forEach(CommandRecord.Builder::clearWhenFull);
        }
    }

    private static WhenFull whenFull(Command.Full full) {
        return switch (full) {
            case AS_REGION -> WhenFull.AS_REGION;
            case EVICT -> WhenFull.EVICT;
            case REFUSE -> WhenFull.REFUSE;
        };
    }

    private static ByteString bytes(Key key) {
        return UnsafeByteOperations.unsafeWrap(key.bytes());
    }

    private static PutCommand.Builder putCommand(Command.Put put, byte[] bytes) {
        TypedValue.Builder value = TypedValue.newBuilder().setFlags(put.flags());
        switch (put.type()) {
            case RAW -> value.setRaw(UnsafeByteOperations.unsafeWrap(bytes));
            case STRING -> value.setString(UnsafeByteOperations.unsafeWrap(bytes));
            case NUMBER -> value.setNumber(Doubles.parse(bytes));
            case BOOLEAN -> value.setBoolean(bytes[0] == 't');
            case LIST, LIMITER -> throw new IllegalArgumentException("a PUT of " + put.type());
        }
        return PutCommand.newBuilder()
                .setKey(bytes(put.key()))
                .setTtlMillis(put.ttlMillis())
                .setValue(value)
                .setCondition(condition(put.condition()));
    }

    private static TakeCommand.Builder takeCommand(Command.Take take) {
        TakeCommand.Builder command = TakeCommand.newBuilder()
                .setKey(bytes(take.key()))
                .setCost(take.cost())
                .setShadow(take.shadow());
        Policy policy = take.policy();
        Key policyKey = take.policyKey();
        if (policyKey != null) {
            command.setPolicyKey(bytes(policyKey));
        } else if (policy != null) {
            command.setAlgorithm(algorithm(policy.algorithm()))
                    .setLimit(policy.limit())
                    .setPeriodMillis(policy.periodMillis())
                    .setBurst(policy.burst());
        }
        return command;
    }

    private static LimitAlgorithm algorithm(Algorithm algorithm) {
        return switch (algorithm) {
            case FIXED -> LimitAlgorithm.FIXED;
            case LOG -> LimitAlgorithm.LOG;
            case COUNTER -> LimitAlgorithm.COUNTER;
            case GCRA -> LimitAlgorithm.GCRA;
            case LEAKY -> LimitAlgorithm.LEAKY;
        };
    }

    private static WriteCondition condition(Condition condition) {
        WriteCondition.Builder wire = WriteCondition.newBuilder();
        return switch (condition.kind()) {
            case ANY -> wire.build();
            case ABSENT -> wire.setAbsent(true).build();
            case PRESENT -> wire.setPresent(true).build();
            case VERSION -> wire.setVersion(condition.version()).build();
        };
    }

    private static CommandRecord.Builder publicationOfPut(Command.Put put, long upload) {
        return CommandRecord.newBuilder()
                .setWhenFull(whenFull(put.full()))
                .setPutChunked(PutChunkedCommand.newBuilder()
                        .setPut(putCommand(put, new byte[0]))
                        .setUpload(upload)
                        .setValueLength(put.value().length));
    }

    /** The record that frees expired entries. */
    public static CommandRecord.Builder purge(List<byte[]> keys) {
        PurgeCommand.Builder command = PurgeCommand.newBuilder();
        keys.forEach(key -> command.addKeys(UnsafeByteOperations.unsafeWrap(key)));
        return CommandRecord.newBuilder().setPurge(command);
    }
}
