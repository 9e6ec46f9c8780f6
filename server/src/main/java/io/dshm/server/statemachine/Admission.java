package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.UnknownFieldSet;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.text.Policies;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.GrantCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.IncrNumberCommand;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.LimitRegionCommand;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.PurgeCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.RemoveCommand;
import io.dshm.proto.wire.ReserveCommand;
import io.dshm.proto.wire.ReturnCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.SettleCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.proto.wire.TouchCommand;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.proto.wire.WhenFull;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.rights.Users;
import java.util.HashSet;

/**
 * Decides which records may be proposed: those that a client's command or a node's own command can become. Every node
 * applies what the log holds, so a record on which {@link StateMachine#apply} throws would stop them all, for good.
 *
 * <p>Every record is checked here on each node that it passes through: those of this node's clients, of the node
 * itself, and those that other nodes forward. Exceptions are a leader's entries without records, and its switch of the
 * format. The decision depends on the record alone, not on the state, and looks at each byte of the keys once.
 *
 * <p>What {@code apply} relies on, and in parentheses what would go wrong otherwise:
 *
 * <ul>
 *   <li>keys have 1 to {@link Limits#LONG_KEY_BYTES_MAX} bytes ({@link Key#of} throws);
 *   <li>a limiter's numbers are in their ranges, and its algorithm is known (the limiter throws);
 *   <li>a piece of a value lies within it, and its length is that of a value ({@link PendingUploads#add} throws);
 *   <li>a MULTI has writes of one key only ({@link Entries} begins all-or-nothing once, and flushes never within it);
 *   <li>numbers of commands are far from the end of 64 bits, and at most {@link Limits#COMMANDS_OUTSTANDING_MAX} beyond
 *       what is settled ({@link Outcomes} throws); the sender of a forward checks the latter, with {@link #isSettled};
 *   <li>there is nothing in a record that this version does not know.
 * </ul>
 */
public final class Admission {

    private Admission() {}

    /**
     * Refuses a record that must not be proposed.
     *
     * @throws IllegalArgumentException if this is such a record
     */
    public static void require(CommandRecord record) {
        if (!admits(record)) {
            throw new IllegalArgumentException("a command that no node may propose: " + record.getCommandCase());
        }
    }

    /** Whether this record may be proposed. */
    public static boolean admits(CommandRecord record) {
        return isSequence(record.getSequence())
                && isIdentityOfClient(record)
                && isWish(record)
                && isKnown(record)
                && isCommand(record);
    }

    /** Whether an origin may say this about what it has settled. */
    public static boolean isSettled(Settled settled) {
        return isSequence(settled.getBelow()) && isKnown(settled);
    }

    private static boolean isSequence(long number) {
        return number > 0 && number <= Limits.SEQUENCE_MAX;
    }

    /** Has no client identity, or a complete one. {@link #isCommand} says which commands may have one. */
    private static boolean isIdentityOfClient(CommandRecord record) {
        if (record.getClientSequence() == 0) {
            return record.getClient() == 0
                    && record.getClientDone() == 0
                    && !record.getClientRetry()
                    && !record.getClientUnlisted();
        }
        return isSequence(record.getClientSequence())
                && record.getClient() >= 0
                && record.getClient() <= Limits.SEQUENCE_MAX
                && record.getClientDone() >= 0
                && record.getClientDone() <= record.getClientSequence();
    }

    /** A sender may say what happens when there is no room. Only the leader may say that entries were evicted. */
    private static boolean isWish(CommandRecord record) {
        return record.getWhenFull() != WhenFull.UNRECOGNIZED && !record.getEvicts();
    }

    private static boolean isCommand(CommandRecord record) {
        boolean anonymous = record.getOrigin() == 0;
        boolean ofClient = record.getClientSequence() != 0;
        return switch (record.getCommandCase()) {
            case REGISTER_NODE -> anonymous && !ofClient && isRegistration(record.getRegisterNode());
            case LOG_TIME -> anonymous && !ofClient && isKnown(record.getLogTime());
            case CHUNK -> !anonymous && !ofClient && isChunk(record.getChunk());
            case PURGE -> !anonymous && !ofClient && isPurge(record.getPurge());
            case SET_CHUNKED -> !anonymous && isPublication(record.getSetChunked());
            case PUT_CHUNKED -> !anonymous && isPublication(record.getPutChunked());
            case FLUSH_ALL -> !anonymous && isFlushAll(record.getFlushAll());
            case MULTI -> !anonymous && isMulti(record.getMulti());
            case LIMIT_REGION -> !anonymous && !ofClient && isLimitRegion(record.getLimitRegion());
            case CHANGE_USERS -> !anonymous && !ofClient && Users.isChange(record.getChangeUsers());
            case TAKE_ALL -> !anonymous && isTakeAll(record.getTakeAll());
            case SET,
                    TOUCH,
                    DELETE,
                    INCR,
                    RATE_LIMITER,
                    PUT,
                    REMOVE,
                    EXPIRE,
                    INCR_NUMBER,
                    PUSH,
                    POP,
                    TAKE,
                    ACQUIRE,
                    RELEASE,
                    RESERVE,
                    SETTLE,
                    GRANT,
                    GIVE_BACK -> !anonymous && isWriteOfOneKey(record);
            // A leader proposes these itself; nobody may send them.
            case SWITCH_FORMAT, REFUSED, FOUND_CLUSTER, CHANGE_MEMBER -> false;
            case COMMAND_NOT_SET -> false;
        };
    }

    private static boolean isWriteOfOneKey(CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET -> isSet(record.getSet());
            case TOUCH -> isTouch(record.getTouch());
            case DELETE -> isKey(record.getDelete().getKey(), Limits.KEY_BYTES_MAX) && isKnown(record.getDelete());
            case INCR -> isIncr(record.getIncr());
            case RATE_LIMITER -> isRateLimiter(record.getRateLimiter());
            case PUT -> isPut(record.getPut());
            case REMOVE -> isRemove(record.getRemove());
            case EXPIRE ->
                isLongKey(record.getExpire().getKey())
                        && isTtl(record.getExpire().getTtlMillis())
                        && isKnown(record.getExpire());
            case INCR_NUMBER -> isIncrNumber(record.getIncrNumber());
            case PUSH -> isPush(record.getPush());
            case POP -> isLongKey(record.getPop().getKey()) && isKnown(record.getPop());
            case TAKE -> isTake(record.getTake());
            case RESERVE -> isReserve(record.getReserve());
            case SETTLE -> isSettle(record.getSettle());
            case GRANT -> isGrant(record.getGrant());
            case GIVE_BACK -> isReturn(record.getGiveBack());
            case ACQUIRE -> isAcquire(record.getAcquire());
            case RELEASE ->
                isLongKey(record.getRelease().getKey())
                        && isHolder(record.getRelease().getHolder())
                        && isKnown(record.getRelease());
            case FLUSH_ALL, MULTI, TAKE_ALL, CHUNK, SET_CHUNKED, PUT_CHUNKED, PURGE -> false;
            case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, REFUSED, LIMIT_REGION, COMMAND_NOT_SET -> false;
            case FOUND_CLUSTER, CHANGE_MEMBER, CHANGE_USERS -> false;
        };
    }

    private static boolean isSet(SetCommand set) {
        return isKey(set.getKey(), Limits.KEY_BYTES_MAX)
                && isTtl(set.getTtlMillis())
                && set.getValue().size() <= Limits.INLINE_VALUE_BYTES_MAX
                && isKnown(set);
    }

    private static boolean isTouch(TouchCommand touch) {
        return isKey(touch.getKey(), Limits.KEY_BYTES_MAX) && isTtl(touch.getTtlMillis()) && isKnown(touch);
    }

    private static boolean isIncr(IncrCommand incr) {
        return isKey(incr.getKey(), Limits.KEY_BYTES_MAX) && isTtl(incr.getInitTtlMillis()) && isKnown(incr);
    }

    private static boolean isRateLimiter(RateLimiterCommand limiter) {
        return isKey(limiter.getKey(), Limits.KEY_BYTES_MAX)
                && limiter.getCapacity() >= 0
                && limiter.getCapacity() <= Limits.LIMITER_CAPACITY_MAX
                && isTtl(limiter.getDurationMillis())
                && isKnown(limiter);
    }

    private static boolean isPut(PutCommand put) {
        TypedValue value = put.getValue();
        return isPutOf(put)
                && value.getRaw().size() <= Limits.INLINE_VALUE_BYTES_MAX
                && value.getString().size() <= Limits.INLINE_VALUE_BYTES_MAX;
    }

    /** The value is not looked at. */
    private static boolean isPutOf(PutCommand put) {
        TypedValue value = put.getValue();
        return isLongKey(put.getKey())
                && isTtl(put.getTtlMillis())
                && value.getValueCase() != TypedValue.ValueCase.VALUE_NOT_SET
                && (value.getFlags() == 0 || !value.hasRaw())
                && isCondition(put.getCondition())
                && isKnown(value)
                && isKnown(put);
    }

    private static boolean isRemove(RemoveCommand remove) {
        return isLongKey(remove.getKey())
                && isCondition(remove.getCondition())
                && !remove.getCondition().hasAbsent()
                && isKnown(remove);
    }

    private static boolean isCondition(WriteCondition condition) {
        return isKnown(condition)
                && switch (condition.getConditionCase()) {
                    case ABSENT -> condition.getAbsent();
                    case PRESENT -> condition.getPresent();
                    case VERSION -> condition.getVersion() > 0;
                    case CONDITION_NOT_SET -> true;
                };
    }

    private static boolean isIncrNumber(IncrNumberCommand incr) {
        return isLongKey(incr.getKey())
                && isTtl(incr.getInitTtlMillis())
                && (incr.hasInit() || incr.getInitTtlMillis() == 0)
                && isKnown(incr);
    }

    private static boolean isPush(PushCommand push) {
        return isLongKey(push.getKey())
                && push.getElementCase() != PushCommand.ElementCase.ELEMENT_NOT_SET
                && push.getString().size() <= Limits.ELEMENT_BYTES_MAX
                && isKnown(push);
    }

    private static boolean isTake(TakeCommand take) {
        boolean byPolicy = !take.getPolicyKey().isEmpty();
        return isLongKey(take.getKey())
                && (byPolicy ? isPolicyKey(take) : isLimit(take))
                && take.getCost() >= -Limits.TOKENS_MAX
                && take.getCost() <= Limits.TOKENS_MAX
                && isKnown(take);
    }

    private static boolean isTakeAll(TakeAllCommand all) {
        int takes = all.getTakesCount();
        return takes > 0
                && takes <= Limits.TAKES_MAX
                && all.getSerializedSize() <= Limits.MULTI_BYTES_MAX + Limits.MULTI_RECORD_OVERHEAD_BYTES * takes
                && all.getTakesList().stream().allMatch(Admission::isTake)
                && areOfOneRegion(all)
                && isKnown(all);
    }

    private static boolean isReserve(ReserveCommand reserve) {
        return isTake(reserve.getTake())
                && reserve.getTake().getCost() >= 0
                && !reserve.getTake().getShadow()
                && isHolder(reserve.getHold())
                && isHoldTime(reserve.getTtlMillis())
                && isKnown(reserve);
    }

    private static boolean isSettle(SettleCommand settle) {
        return isLongKey(settle.getKey())
                && isHolder(settle.getHold())
                && isAmount(settle.getCost())
                && isKnown(settle);
    }

    private static boolean isGrant(GrantCommand grant) {
        return isTake(grant.getTake())
                && !grant.getTake().getShadow()
                && grant.getMin() >= 1
                && grant.getMin() <= grant.getTake().getCost()
                && isHolder(grant.getHolder())
                && isKnown(grant);
    }

    private static boolean isReturn(ReturnCommand command) {
        return isLongKey(command.getKey())
                && isHolder(command.getHolder())
                && isAmount(command.getUnused())
                && isKnown(command);
    }

    private static boolean isAmount(long tokens) {
        return tokens >= 0 && tokens <= Limits.TOKENS_MAX;
    }

    private static boolean isAcquire(AcquireCommand acquire) {
        return isLongKey(acquire.getKey())
                && isAmount(acquire.getLimit())
                && isHolder(acquire.getHolder())
                && isHoldTime(acquire.getTtlMillis())
                && isKnown(acquire);
    }

    private static boolean isHolder(ByteString holder) {
        return isKey(holder, Limits.HOLDER_BYTES_MAX);
    }

    private static boolean isHoldTime(long millis) {
        return millis > 0 && millis <= Limits.PERIOD_MILLIS_MAX;
    }

    private static boolean areOfOneRegion(TakeAllCommand all) {
        Key first = Key.of(all.getTakes(0).getKey().toByteArray());
        return all.getTakesList().stream()
                .allMatch(take -> Key.of(take.getKey().toByteArray()).isOfRegionOf(first));
    }

    private static boolean isPolicyKey(TakeCommand take) {
        ByteString key = take.getPolicyKey();
        return hasBytesOfKey(key)
                && Policies.isKey(Key.of(key.toByteArray()))
                && take.getAlgorithmValue() == 0
                && take.getLimit() == 0
                && take.getPeriodMillis() == 0
                && take.getBurst() == 0;
    }

    private static boolean isLimit(TakeCommand take) {
        boolean mayBurst = take.getAlgorithm() == LimitAlgorithm.GCRA || take.getAlgorithm() == LimitAlgorithm.LEAKY;
        return take.getAlgorithm() != LimitAlgorithm.UNRECOGNIZED
                && Policy.areValid(take.getLimit(), take.getPeriodMillis(), take.getBurst())
                && (mayBurst || take.getBurst() == 0);
    }

    private static boolean isMulti(MultiCommand multi) {
        int writes = multi.getWritesCount();
        return writes > 0
                && writes <= Limits.MULTI_REQUESTS_MAX
                && multi.getSerializedSize() <= Limits.MULTI_BYTES_MAX + Limits.MULTI_RECORD_OVERHEAD_BYTES * writes
                && multi.getWritesList().stream().allMatch(Admission::isWriteWithin)
                && isKnown(multi);
    }

    /** A command within a MULTI has no identity of its own. */
    private static boolean isWriteWithin(CommandRecord write) {
        return write.getOrigin() == 0
                && write.getSequence() == 0
                && write.getClientSequence() == 0
                && write.getCredential() == 0
                && isIdentityOfClient(write)
                && isWish(write)
                && isWriteOfOneKey(write)
                && isKnown(write);
    }

    private static boolean isFlushAll(FlushAllCommand flush) {
        return isRegion(flush.getRegion()) && isKnown(flush);
    }

    private static boolean isRegion(ByteString region) {
        return region.size() <= Limits.KEY_BYTES_MAX && hasBytesOfKey(region) && indexOfColon(region) < 0;
    }

    /** Whether this is a valid limit of a region. */
    public static boolean isLimitRegion(LimitRegionCommand limit) {
        return isRegion(limit.getRegion())
                && limit.getBytesMax() >= 0
                && (limit.getWhenFull() == WhenFull.EVICT || limit.getWhenFull() == WhenFull.REFUSE)
                && isKnown(limit);
    }

    private static boolean isChunk(ValueChunk chunk) {
        return isLength(chunk.getValueLength())
                && chunk.getOffset() >= 0
                && !chunk.getData().isEmpty()
                && chunk.getData().size() <= Limits.CHUNK_BYTES
                && chunk.getOffset() <= chunk.getValueLength() - chunk.getData().size()
                && isKnown(chunk);
    }

    private static boolean isPublication(SetChunkedCommand set) {
        return isKey(set.getKey(), Limits.KEY_BYTES_MAX)
                && isTtl(set.getTtlMillis())
                && isLength(set.getValueLength())
                && isKnown(set);
    }

    private static boolean isPublication(PutChunkedCommand command) {
        TypedValue value = command.getPut().getValue();
        return isPutOf(command.getPut())
                && (value.hasRaw() || value.hasString())
                && value.getRaw().isEmpty()
                && value.getString().isEmpty()
                && isLength(command.getValueLength())
                && isKnown(command);
    }

    /** The keys come from the store: they may be older than the rules in this class. */
    private static boolean isPurge(PurgeCommand purge) {
        long bytes = 0;
        for (ByteString key : purge.getKeysList()) {
            if (key.isEmpty() || key.size() > Limits.LONG_KEY_BYTES_MAX) {
                return false;
            }
            bytes += key.size();
        }
        return purge.getKeysCount() <= Limits.PURGE_KEYS_MAX
                && bytes <= Limits.PURGE_BYTES_MAX + Limits.LONG_KEY_BYTES_MAX
                && isKnown(purge);
    }

    private static boolean isRegistration(RegisterNode registration) {
        int length = registration.getNode().length();
        return length > 0
                && length <= Limits.NODE_NAME_CHARS_MAX
                && registration.getOriginsCount() > 0
                && registration.getOriginsCount() <= Limits.THREADS_MAX + 1
                && !registration.getOriginsList().contains(0L)
                && new HashSet<>(registration.getOriginsList()).size() == registration.getOriginsCount()
                && isKnown(registration);
    }

    private static boolean isLongKey(ByteString key) {
        return isKey(key, Limits.LONG_KEY_BYTES_MAX);
    }

    private static boolean isKey(ByteString key, int bytesMax) {
        return !key.isEmpty() && key.size() <= bytesMax && hasBytesOfKey(key);
    }

    private static boolean hasBytesOfKey(ByteString name) {
        int size = name.size();
        for (int i = 0; i < size; i++) {
            if (!Key.mayContain(name.byteAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static int indexOfColon(ByteString name) {
        for (int i = 0; i < name.size(); i++) {
            if (name.byteAt(i) == ':') {
                return i;
            }
        }
        return -1;
    }

    private static boolean isTtl(long millis) {
        return millis >= 0 && millis <= Limits.TTL_MILLIS_MAX;
    }

    private static boolean isLength(int length) {
        return length > 0 && length <= Limits.VALUE_BYTES_MAX;
    }

    /** Whether this message, but for those within it, has only fields that this version knows. {@code asMap} copies. */
    private static boolean isKnown(MessageOrBuilder message) {
        return message.getUnknownFields().equals(UnknownFieldSet.getDefaultInstance());
    }
}
