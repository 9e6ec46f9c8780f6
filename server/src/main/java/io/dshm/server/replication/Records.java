package io.dshm.server.replication;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.DeleteCommand;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.LogTimeCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.TouchCommand;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.server.statemachine.Outcome;

/** Commands to log records, outcomes to replies, and what a record must fulfil before it may be proposed. */
final class Records {

    private Records() {}

    /** The record of a command, still without its identity. Shares the command's bytes. */
    static CommandRecord.Builder of(Command.Write write) {
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
        throw new IllegalArgumentException("no record for " + write.getClass());
    }

    /** The record that only has the leader log the time. */
    static CommandRecord.Builder logTime() {
        return CommandRecord.newBuilder().setLogTime(LogTimeCommand.getDefaultInstance());
    }

    /** What the sender of a command is told of its outcome. */
    static Reply reply(Command.Write write, Outcome outcome) {
        return switch (outcome.kind()) {
            case APPLIED -> applied(write, outcome);
            case BAD_REQUEST -> Reply.Failure.BAD_REQUEST;
            case OVERFLOW -> Reply.Failure.OVERFLOW;
            case CHUNKS_MISSING -> new Reply.Failure(ErrorCode.BUSY, "the value did not arrive whole");
            case UNKNOWN_ORIGIN, ALREADY_SETTLED, NO_INTEGER, AHEAD ->
                new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, null);
        };
    }

    private static Reply applied(Command.Write write, Outcome outcome) {
        if (outcome.isNumeric()) {
            return new Reply.IntegerValue(outcome.number());
        }
        byte[] value = outcome.value();
        if (value != null) {
            return new Reply.Value(value);
        }
        if (write instanceof Command.Set set) {
            return new Reply.Value(set.value());
        }
        return outcome.isAbsent() ? Reply.Done.ABSENT : Reply.Done.DONE;
    }

    /** The key that a command writes, or null if it writes a whole region. */
    static @org.jspecify.annotations.Nullable Key keyOf(Command.Write write) {
        if (write instanceof Command.Incr incr) {
            return incr.key();
        }
        if (write instanceof Command.Set set) {
            return set.key();
        }
        if (write instanceof Command.RateLimiter limiter) {
            return limiter.key();
        }
        if (write instanceof Command.Touch touch) {
            return touch.key();
        }
        return write instanceof Command.Delete delete ? delete.key() : null;
    }

    /** Whether a record from another node can be applied: one that cannot would stop every node. */
    static boolean isValid(CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET ->
                isKey(record.getSet().getKey())
                        && isTtl(record.getSet().getTtlMillis())
                        && record.getSet().getValue().size() <= Limits.INLINE_VALUE_BYTES_MAX;
            case TOUCH ->
                isKey(record.getTouch().getKey()) && isTtl(record.getTouch().getTtlMillis());
            case DELETE -> isKey(record.getDelete().getKey());
            case INCR ->
                isKey(record.getIncr().getKey()) && isTtl(record.getIncr().getInitTtlMillis());
            case RATE_LIMITER ->
                isKey(record.getRateLimiter().getKey())
                        && record.getRateLimiter().getCapacity() >= 0
                        && record.getRateLimiter().getCapacity() <= Limits.LIMITER_CAPACITY_MAX
                        && isTtl(record.getRateLimiter().getDurationMillis());
            case FLUSH_ALL -> record.getFlushAll().getRegion().size() <= Limits.KEY_BYTES_MAX;
            case CHUNK -> isChunk(record.getChunk());
            case SET_CHUNKED ->
                isKey(record.getSetChunked().getKey())
                        && isTtl(record.getSetChunked().getTtlMillis())
                        && isLength(record.getSetChunked().getValueLength());
            case REGISTER_NODE ->
                !record.getRegisterNode().getNode().isEmpty()
                        && record.getRegisterNode().getOriginsCount() <= Limits.THREADS_MAX + 1;
            case LOG_TIME -> true;
            case COMMAND_NOT_SET -> false;
        };
    }

    private static boolean isKey(ByteString key) {
        return !key.isEmpty() && key.size() <= Limits.KEY_BYTES_MAX;
    }

    private static boolean isTtl(long millis) {
        return millis >= 0 && millis <= Limits.TTL_MILLIS_MAX;
    }

    private static boolean isLength(int length) {
        return length > 0 && length <= Limits.VALUE_BYTES_MAX;
    }

    private static boolean isChunk(ValueChunk chunk) {
        return isLength(chunk.getValueLength())
                && chunk.getOffset() >= 0
                && !chunk.getData().isEmpty()
                && chunk.getData().size() <= Limits.CHUNK_BYTES
                && chunk.getOffset() <= chunk.getValueLength() - chunk.getData().size();
    }

    private static ByteString bytes(Key key) {
        return UnsafeByteOperations.unsafeWrap(key.bytes());
    }
}
