package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.rights.Users;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.Store;
import io.dshm.server.store.limiters.Account;
import io.dshm.server.store.limiters.Holds;
import io.dshm.server.store.limiters.Meter;
import io.dshm.server.store.limiters.Permits;
import io.dshm.server.store.limiters.SlidingLog;
import org.jspecify.annotations.Nullable;

/**
 * What a command adds to the state, by the formula of {@link EntryBytes#of}.
 *
 * @param bytes at most, 0 or more
 * @param purpose what they are for
 */
record Growth(long bytes, Purpose purpose) {

    /** What is refused first, and what later: each has some room that those before it cannot use up. */
    enum Purpose {
        /** What clients keep here. */
        STORES,
        /** A limiter's decision that is to be remembered, and a flush. */
        DECIDES,
        /** A count on a key that is there: it adds next to nothing. */
        COUNTS
    }

    static final Growth NONE = new Growth(0, Purpose.COUNTS);

    private static Growth stores(long bytes) {
        return new Growth(Math.max(0, bytes), Purpose.STORES);
    }

    private static Growth decides(long bytes) {
        return new Growth(bytes, Purpose.DECIDES);
    }

    private static Growth counts(long bytes) {
        return new Growth(bytes, Purpose.COUNTS);
    }

    /** Characters of an integer, and what a number that becomes a typed one adds. */
    private static final int NUMBER_BYTES = 32;

    /** The most that the command can add, in bytes, whatever is in the store. Looks nothing up. */
    static long atMost(CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET ->
                EntryBytes.ofPlain(
                        record.getSet().getKey().size(),
                        record.getSet().getValue().size());
            case INCR -> EntryBytes.ofPlain(record.getIncr().getKey().size(), NUMBER_BYTES);
            case INCR_NUMBER ->
                EntryBytes.ofNumber(record.getIncrNumber().getKey().size());
            case RATE_LIMITER ->
                EntryBytes.ofLimiter(record.getRateLimiter().getKey().size());
            case TAKE -> limiterBytes(record.getTake());
            case RESERVE ->
                limiterBytes(record.getReserve().getTake())
                        + holdBytes(record.getReserve().getHold());
            case GRANT ->
                limiterBytes(record.getGrant().getTake())
                        + holdBytes(record.getGrant().getHolder());
            case SETTLE -> 2 * SlidingLog.GRANT_BYTES;
            case ACQUIRE ->
                EntryBytes.ofLimiter(
                        record.getAcquire().getKey().size(),
                        Permits.bytesOfOne(record.getAcquire().getHolder().size()));
            case TAKE_ALL ->
                record.getTakeAll().getTakesList().stream()
                        .mapToLong(Growth::limiterBytes)
                        .sum();
            case PUT -> bytesOf(record.getPut());
            case PUSH -> EntryBytes.ofList(record.getPush().getKey().size(), elementBytes(record.getPush()));
            case FLUSH_ALL -> EntryBytes.ofMark(record.getFlushAll().getRegion().size());
            case CHUNK -> chunkBytes(record);
            case MULTI ->
                record.getMulti().getWritesList().stream()
                        .mapToLong(Growth::atMost)
                        .sum();
            case SET_CHUNKED, PUT_CHUNKED, TOUCH, DELETE, REMOVE, EXPIRE, POP, PURGE, RELEASE, GIVE_BACK -> 0;
            case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, REFUSED, LIMIT_REGION, COMMAND_NOT_SET -> 0;
            case CHANGE_USERS -> Users.bytesAddedBy(record.getChangeUsers());
            case FOUND_CLUSTER, CHANGE_MEMBER -> 0;
        };
    }

    /** What the command adds to this store as it is. Any thread. */
    static Growth of(CommandRecord record, Store store) {
        return switch (record.getCommandCase()) {
            case SET -> stores(atMost(record) - bytesIn(store, record.getSet().getKey()));
            case PUT -> ofPut(record.getPut(), store);
            case PUSH -> ofPush(record.getPush(), store);
            case INCR -> ofCount(record, record.getIncr().getKey(), NUMBER_BYTES, store);
            case INCR_NUMBER ->
                record.getIncrNumber().hasInit()
                        ? ofCount(record, record.getIncrNumber().getKey(), NUMBER_BYTES, store)
                        : counts(NUMBER_BYTES);
            case RATE_LIMITER -> ofLimiter(record, store);
            case TAKE -> ofTake(record.getTake(), store);
            case RESERVE ->
                ofHold(
                        record,
                        record.getReserve().getTake().getKey(),
                        record.getReserve().getHold(),
                        store);
            case GRANT ->
                ofHold(
                        record,
                        record.getGrant().getTake().getKey(),
                        record.getGrant().getHolder(),
                        store);
            case SETTLE -> decides(atMost(record));
            case ACQUIRE -> ofAcquire(record, store);
            case TAKE_ALL -> ofTakeAll(record.getTakeAll(), store);
            case FLUSH_ALL -> decides(atMost(record));
            case CHUNK -> stores(chunkBytes(record));
            case MULTI -> ofMulti(record.getMulti(), store);
            case SET_CHUNKED, PUT_CHUNKED, TOUCH, DELETE, REMOVE, EXPIRE, POP, PURGE, RELEASE, GIVE_BACK -> NONE;
            case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, REFUSED, LIMIT_REGION, COMMAND_NOT_SET -> NONE;
            case CHANGE_USERS -> counts(atMost(record));
            case FOUND_CLUSTER, CHANGE_MEMBER -> NONE;
        };
    }

    /**
     * What the command adds to the region of its key. A large value counts there when it is published; before, its
     * pieces are in no region.
     */
    static Growth inRegion(CommandRecord record, Store store) {
        if (record.hasSetChunked()) {
            SetChunkedCommand set = record.getSetChunked();
            return stores(EntryBytes.ofPlain(set.getKey().size(), set.getValueLength()) - bytesIn(store, set.getKey()));
        }
        if (record.hasPutChunked()) {
            PutChunkedCommand put = record.getPutChunked();
            ByteString key = put.getPut().getKey();
            return stores(EntryBytes.ofString(key.size(), put.getValueLength()) - bytesIn(store, key));
        }
        return of(record, store);
    }

    /** The key of a command that may add to its region; null for others. */
    static @Nullable ByteString growingKey(CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET -> record.getSet().getKey();
            case INCR -> record.getIncr().getKey();
            case INCR_NUMBER -> record.getIncrNumber().getKey();
            case RATE_LIMITER -> record.getRateLimiter().getKey();
            case TAKE -> record.getTake().getKey();
            // All of its keys are of one region.
            case TAKE_ALL -> record.getTakeAll().getTakes(0).getKey();
            case ACQUIRE -> record.getAcquire().getKey();
            case RESERVE -> record.getReserve().getTake().getKey();
            case SETTLE -> record.getSettle().getKey();
            case GRANT -> record.getGrant().getTake().getKey();
            case PUT -> record.getPut().getKey();
            case PUSH -> record.getPush().getKey();
            case SET_CHUNKED -> record.getSetChunked().getKey();
            case PUT_CHUNKED -> record.getPutChunked().getPut().getKey();
            case TOUCH, DELETE, REMOVE, EXPIRE, POP, PURGE, RELEASE, GIVE_BACK, MULTI, CHUNK, FLUSH_ALL -> null;
            case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, REFUSED, LIMIT_REGION, COMMAND_NOT_SET -> null;
            case FOUND_CLUSTER, CHANGE_MEMBER, CHANGE_USERS -> null;
        };
    }

    private static Growth ofPut(PutCommand put, Store store) {
        long there = bytesIn(store, put.getKey());
        boolean wantsAbsent = put.getCondition().getConditionCase() == WriteCondition.ConditionCase.ABSENT;
        boolean wantsPresent =
                put.getCondition().hasPresent() || put.getCondition().hasVersion();
        // A condition that does not hold has its own answer.
        return (wantsAbsent && isThere(store, put.getKey())) || (wantsPresent && there == 0)
                ? NONE
                : stores(bytesOf(put) - there);
    }

    private static Growth ofPush(PushCommand push, Store store) {
        Entry entry = find(store, push.getKey());
        if (entry == null) {
            return stores(EntryBytes.ofList(push.getKey().size(), elementBytes(push)));
        }
        boolean list = entry.isTyped() && entry.typed().isList();
        return list ? stores(EntryBytes.ofElement(elementBytes(push))) : NONE;
    }

    /**
     * Where it takes, and where it may only give back. Its first call is a decision, too, as that of
     * {@link #ofLimiter}.
     */
    private static Growth ofTake(TakeCommand take, Store store) {
        Entry entry = take.getCost() <= 0 ? null : find(store, take.getKey());
        if (entry == null) {
            return take.getCost() <= 0 ? NONE : decides(limiterBytes(take));
        }
        boolean remembers = entry.isLimiter() && entry.limiter() instanceof SlidingLog;
        return remembers ? decides(2 * SlidingLog.GRANT_BYTES) : NONE;
    }

    private static Growth ofHold(CommandRecord record, ByteString key, ByteString id, Store store) {
        return decides(find(store, key) == null ? atMost(record) : holdBytes(id));
    }

    /** Of what is held of a limiter of which nothing was held before. */
    private static long holdBytes(ByteString id) {
        return Account.BYTES + Holds.bytesOf(id.size());
    }

    private static Growth ofAcquire(CommandRecord record, Store store) {
        AcquireCommand acquire = record.getAcquire();
        Entry entry = find(store, acquire.getKey());
        if (entry == null) {
            return decides(atMost(record));
        }
        boolean more = entry.isLimiter()
                && entry.limiter() instanceof Permits permits
                && permits.holders().placeOf(acquire.getHolder().toByteArray()) < 0;
        return more ? decides(Holds.bytesOf(acquire.getHolder().size())) : NONE;
    }

    private static Growth ofTakeAll(TakeAllCommand all, Store store) {
        Growth growth = NONE;
        for (TakeCommand take : all.getTakesList()) {
            growth = growth.and(ofTake(take, store));
        }
        return growth;
    }

    /** Of a limiter that has granted once: of a policy's, whatever that is. */
    private static long limiterBytes(TakeCommand take) {
        boolean mayBeLog = !take.getPolicyKey().isEmpty() || take.getAlgorithm() == LimitAlgorithm.LOG;
        return EntryBytes.ofLimiter(
                take.getKey().size(), mayBeLog ? SlidingLog.bytesOfOne(take.getCost() != 1) : Meter.BYTES);
    }

    private static Growth ofCount(CommandRecord record, ByteString key, long more, Store store) {
        return find(store, key) == null ? stores(atMost(record)) : counts(more);
    }

    /** A limiter decides when nothing can be stored any more: also its first call adds little. */
    private static Growth ofLimiter(CommandRecord record, Store store) {
        return decides(find(store, record.getRateLimiter().getKey()) == null ? atMost(record) : EntryBytes.ofGrant());
    }

    private static Growth ofMulti(MultiCommand multi, Store store) {
        Growth all = NONE;
        for (CommandRecord write : multi.getWritesList()) {
            all = all.and(of(write, store));
        }
        return all;
    }

    /** What both add together. */
    Growth and(Growth other) {
        if (bytes == 0 || other.bytes == 0) {
            return bytes == 0 ? other : this;
        }
        Purpose first = purpose.compareTo(other.purpose) < 0 ? purpose : other.purpose;
        return new Growth(bytes + other.bytes, first);
    }

    private static long bytesOf(PutCommand put) {
        TypedValue value = put.getValue();
        int key = put.getKey().size();
        if (value.hasRaw()) {
            return EntryBytes.ofPlain(key, value.getRaw().size());
        }
        return value.hasString() ? EntryBytes.ofString(key, value.getString().size()) : EntryBytes.ofNumber(key);
    }

    private static int elementBytes(PushCommand push) {
        return push.hasNumber() ? Double.BYTES : push.getString().size();
    }

    /**
     * The first piece takes what the whole value needs, so that the others have room, and the value when it is
     * published.
     */
    private static long chunkBytes(CommandRecord record) {
        return record.getChunk().getOffset() == 0
                ? EntryBytes.ofPlain(0, record.getChunk().getValueLength())
                : 0;
    }

    private static @Nullable Entry find(Store store, ByteString keyBytes) {
        Key key = Key.of(keyBytes.toByteArray());
        return store.get(key.bytes(), key.hash());
    }

    private static boolean isThere(Store store, ByteString key) {
        return find(store, key) != null;
    }

    private static long bytesIn(Store store, ByteString key) {
        Entry entry = find(store, key);
        return entry == null ? 0 : EntryBytes.of(key.toByteArray(), entry);
    }
}
