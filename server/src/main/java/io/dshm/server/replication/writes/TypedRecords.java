package io.dshm.server.replication.writes;

import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.ValueType;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.ExpireCommand;
import io.dshm.proto.wire.IncrNumberCommand;
import io.dshm.proto.wire.PopCommand;
import io.dshm.proto.wire.PurgeCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.RemoveCommand;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WriteCondition;
import java.util.List;

/** What {@link Records} does, for the writes of typed entries. */
public final class TypedRecords {

    private TypedRecords() {}

    /** The record of a command, still without its identity. Shares the command's bytes. */
    static CommandRecord.Builder of(Command.Write write) {
        CommandRecord.Builder record = CommandRecord.newBuilder();
        if (write instanceof Command.Put put) {
            return record.setPut(of(put, put.value()));
        }
        if (write instanceof Command.IncrNumber incr) {
            IncrNumberCommand.Builder command = IncrNumberCommand.newBuilder()
                    .setKey(Records.bytes(incr.key()))
                    .setBy(incr.by())
                    .setInitTtlMillis(incr.initTtlMillis());
            Double init = incr.init();
            if (init != null) {
                command.setInit(init);
            }
            return record.setIncrNumber(command);
        }
        if (write instanceof Command.Remove remove) {
            return record.setRemove(RemoveCommand.newBuilder()
                    .setKey(Records.bytes(remove.key()))
                    .setCondition(of(remove.condition())));
        }
        if (write instanceof Command.Expire expire) {
            return record.setExpire(ExpireCommand.newBuilder()
                    .setKey(Records.bytes(expire.key()))
                    .setTtlMillis(expire.ttlMillis()));
        }
        if (write instanceof Command.Push push) {
            PushCommand.Builder command =
                    PushCommand.newBuilder().setKey(Records.bytes(push.key())).setLeft(push.end() == Command.End.LEFT);
            return record.setPush(
                    push.type() == ValueType.NUMBER
                            ? command.setNumber(Doubles.parse(push.element()))
                            : command.setString(UnsafeByteOperations.unsafeWrap(push.element())));
        }
        if (write instanceof Command.Pop pop) {
            return record.setPop(
                    PopCommand.newBuilder().setKey(Records.bytes(pop.key())).setLeft(pop.end() == Command.End.LEFT));
        }
        throw new IllegalArgumentException("no record for " + write.getClass());
    }

    private static PutCommand.Builder of(Command.Put put, byte[] bytes) {
        TypedValue.Builder value = TypedValue.newBuilder().setFlags(put.flags());
        switch (put.type()) {
            case RAW -> value.setRaw(UnsafeByteOperations.unsafeWrap(bytes));
            case STRING -> value.setString(UnsafeByteOperations.unsafeWrap(bytes));
            case NUMBER -> value.setNumber(Doubles.parse(bytes));
            case BOOLEAN -> value.setBoolean(bytes[0] == 't');
            case LIST, LIMITER -> throw new IllegalArgumentException("a PUT of " + put.type());
        }
        return PutCommand.newBuilder()
                .setKey(Records.bytes(put.key()))
                .setTtlMillis(put.ttlMillis())
                .setValue(value)
                .setCondition(of(put.condition()));
    }

    private static WriteCondition of(Condition condition) {
        WriteCondition.Builder wire = WriteCondition.newBuilder();
        return switch (condition.kind()) {
            case ANY -> wire.build();
            case ABSENT -> wire.setAbsent(true).build();
            case PRESENT -> wire.setPresent(true).build();
            case VERSION -> wire.setVersion(condition.version()).build();
        };
    }

    /** The record that publishes the pieces of a large value; see {@link LargeValues}. */
    static CommandRecord.Builder publication(Command.Put put, long upload) {
        return CommandRecord.newBuilder()
                .setPutChunked(PutChunkedCommand.newBuilder()
                        .setPut(of(put, new byte[0]))
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
