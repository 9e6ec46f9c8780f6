package io.dshm.server.replication.writes;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.DeleteCommand;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.LogTimeCommand;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.TouchCommand;
import org.jspecify.annotations.Nullable;

/** Commands to log records. {@link io.dshm.server.statemachine.Admission} decides which may be proposed. */
public final class Records {

    private Records() {}

    /** The record of a command, still without its identity. Shares the command's bytes. */
    public static CommandRecord.Builder of(Command.Write write) {
        CommandRecord.Builder record = CommandRecord.newBuilder();
        if (write instanceof Command.Incr incr) {
            return record.setIncr(IncrCommand.newBuilder()
                    .setKey(bytes(incr.key()))
                    .setBy(incr.by())
                    .setInit(incr.init())
                    .setInitTtlMillis(incr.initTtlMillis()));
        }
        if (write instanceof Command.Set set) {
            return record.setSet(SetCommand.newBuilder()
                    .setKey(bytes(set.key()))
                    .setTtlMillis(set.ttlMillis())
                    .setValue(UnsafeByteOperations.unsafeWrap(set.value())));
        }
        if (write instanceof Command.RateLimiter limiter) {
            return record.setRateLimiter(RateLimiterCommand.newBuilder()
                    .setKey(bytes(limiter.key()))
                    .setCapacity(limiter.capacity())
                    .setDurationMillis(limiter.durationMillis()));
        }
        if (write instanceof Command.Touch touch) {
            return record.setTouch(
                    TouchCommand.newBuilder().setKey(bytes(touch.key())).setTtlMillis(touch.ttlMillis()));
        }
        if (write instanceof Command.Delete delete) {
            return record.setDelete(DeleteCommand.newBuilder().setKey(bytes(delete.key())));
        }
        if (write instanceof Command.FlushAll flush) {
            return record.setFlushAll(
                    FlushAllCommand.newBuilder().setRegion(UnsafeByteOperations.unsafeWrap(flush.region())));
        }
        if (write instanceof Command.Identified identified) {
            return identify(of(identified.write()), identified);
        }
        if (write instanceof Command.Multi multi) {
            MultiCommand.Builder command = MultiCommand.newBuilder();
            multi.writes().forEach(one -> command.addWrites(of(one)));
            return record.setMulti(command);
        }
        return TypedRecords.of(write);
    }

    private static CommandRecord.Builder identify(CommandRecord.Builder record, Command.Identified identity) {
        return record.setClient(identity.client())
                .setClientSequence(identity.sequence())
                .setClientDone(identity.done())
                .setClientRetry(identity.retry())
                .setClientUnlisted(identity.unlisted());
    }

    /** The value of a command, if it is too long to travel inside its record; else null. */
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
            return TypedRecords.publication(put, upload);
        }
        Command.Set set = (Command.Set) write;
        return CommandRecord.newBuilder()
                .setSetChunked(SetChunkedCommand.newBuilder()
                        .setKey(bytes(set.key()))
                        .setTtlMillis(set.ttlMillis())
                        .setUpload(upload)
                        .setValueLength(set.value().length));
    }

    /** The record that only has the leader log the time. */
    public static CommandRecord.Builder logTime() {
        return CommandRecord.newBuilder().setLogTime(LogTimeCommand.getDefaultInstance());
    }

    static ByteString bytes(Key key) {
        return UnsafeByteOperations.unsafeWrap(key.bytes());
    }
}
