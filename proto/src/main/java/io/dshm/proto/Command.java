package io.dshm.proto;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for. Byte arrays in commands are handed over with them and never changed afterwards.
 *
 * <p>Durations are milliseconds of the cluster clock; a {@code ttlMillis} of 0 means "never expires".
 */
public sealed interface Command extends Request {

    /** Answered from a node's store; changes nothing. */
    sealed interface Read extends Command permits KeyRead, MultiRead, RegionRead {

        /** The mode of this read; null for the mode of its connection. */
        @Nullable
        ReadMode mode();

        /** Calls the visitor's method for this kind of read. */
        <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor);
    }

    /** Reads one key. */
    sealed interface KeyRead extends Read permits Get, Fetch, Stat {
        Key key();

        /** Which read it is: a switch over it costs no object, where a visitor would need one for its arguments. */
        Kind kind();

        /** Whether it also finds an entry that has expired and is still there. */
        default boolean stale() {
            return false;
        }

        @Override
        default int heldBytes() {
            return key().bytes().length;
        }

        /** The reads of one key. */
        enum Kind {
            GET,
            FETCH,
            STAT
        }
    }

    /** Looks through all entries of a node for those of one region; an empty name is the default region. */
    sealed interface RegionRead extends Read permits Keys, RegionInfo {
        byte[] region();

        @Override
        default int heldBytes() {
            return region().length;
        }
    }

    /** Goes through the log. */
    sealed interface Write extends Command permits KeyWrite, OfLimit, FlushAll, Multi, Identified {

        /** Bytes of its data: of a value that is on its way in a request of its own. */
        default int dataBytes() {
            return 0;
        }

        /** Calls the visitor's method for this kind of write. */
        <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor);
    }

    /** Writes one key. */
    sealed interface KeyWrite extends Write
            permits Set,
                    Touch,
                    Delete,
                    Incr,
                    RateLimiter,
                    Put,
                    Remove,
                    Expire,
                    IncrNumber,
                    Push,
                    Pop,
                    Take,
                    Acquire,
                    Release,
                    Reserve,
                    Settle,
                    Grant,
                    Return {
        Key key();

        @Override
        default int heldBytes() {
            return key().bytes().length + dataBytes();
        }
    }

    /** TAKE and its family. */
    sealed interface OfLimit extends Write permits Take, TakeAll, Acquire, Release, Reserve, Settle, Grant, Return {}

    /** Neither a read nor a write: a node or a connection does it by itself. */
    sealed interface Other extends Command permits FlushExpired, SetReadMode, SetShares, Auth, Ping, Info, Quit {

        /** Calls the visitor's method for this kind of command. */
        <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor);
    }

    /** The value of a key; the tokens left, if it is a limiter's. */
    record Get(Key key, @Nullable ReadMode mode) implements KeyRead {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor) {
            return visitor.get(this, argument);
        }

        @Override
        public Kind kind() {
            return Kind.GET;
        }

        /** In the connection's mode. */
        public Get(Key key) {
            this(key, null);
        }
    }

    /** Stores a value of 0 to {@link Limits#VALUE_BYTES_MAX} bytes under a key, whatever was there. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, see above; a wrapper would cost every SET an object
    record Set(Key key, long ttlMillis, byte[] value) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.set(this, argument);
        }

        @Override
        public int dataBytes() {
            return value.length;
        }
    }

    /** Sets the time to live of a key that exists; of a limiter's key it changes nothing. */
    record Touch(Key key, long ttlMillis) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.touch(this, argument);
        }
    }

    /** Removes a key, if it exists. */
    record Delete(Key key) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.delete(this, argument);
        }
    }

    /** Adds to the integer under a key; an absent key becomes {@code by + init} and lives {@code initTtlMillis}. */
    record Incr(Key key, long by, long init, long initTtlMillis) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.incr(this, argument);
        }
    }

    /**
     * Takes a token of a limiter that grants at most {@code capacity} (0 to {@link Limits#LIMITER_CAPACITY_MAX}) of
     * them in any {@code durationMillis}.
     */
    record RateLimiter(Key key, int capacity, long durationMillis) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.rateLimiter(this, argument);
        }
    }

    /**
     * Takes tokens of a limit, or none where it has too few.
     *
     * @param policy the limit; null if an entry says it
     * @param policyKey the key of the entry that says the limit, in {@link Limits#POLICY_REGION}; null where
     *     {@code policy} is not
     * @param cost {@code -}{@link Limits#TOKENS_MAX} to {@link Limits#TOKENS_MAX}: 0 only looks, less gives back
     * @param shadow whether all are let pass, and told whether they would have been
     * @param share whether the node may decide from its own share of the limit
     */
    record Take(Key key, @Nullable Policy policy, @Nullable Key policyKey, long cost, boolean shadow, boolean share)
            implements KeyWrite, OfLimit {

        public Take {
            if ((policy == null) == (policyKey == null)) {
                throw new IllegalArgumentException("a limit comes from one place");
            }
        }

        /** One that the log decides. */
        public Take(Key key, @Nullable Policy policy, @Nullable Key policyKey, long cost, boolean shadow) {
            this(key, policy, policyKey, cost, shadow, false);
        }

        /** By numbers of its own. */
        public Take(Key key, Policy policy, long cost) {
            this(key, policy, null, cost, false);
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.take(this, argument);
        }
    }

    /**
     * Asks for one of {@code limit} permits, or renews the holder's.
     *
     * @param limit 0 to {@link Limits#TOKENS_MAX}
     * @param holder an identity of at most {@link Limits#HOLDER_BYTES_MAX} bytes
     * @param ttlMillis after which the permit is free again, 1 to {@link Limits#PERIOD_MILLIS_MAX}
     */
    record Acquire(Key key, long limit, Key holder, long ttlMillis) implements KeyWrite, OfLimit {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.acquire(this, argument);
        }
    }

    /** Gives a permit back, if the holder has one. */
    record Release(Key key, Key holder) implements KeyWrite, OfLimit {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.release(this, argument);
        }
    }

    /**
     * Takes a cost that is not known for certain yet.
     *
     * @param take what is taken: a cost of 0 or more, no shadow
     * @param hold the identity of the reservation, of at most {@link Limits#HOLDER_BYTES_MAX} bytes
     * @param ttlMillis after which it stays spent, 1 to {@link Limits#PERIOD_MILLIS_MAX}
     */
    record Reserve(Take take, Key hold, long ttlMillis) implements KeyWrite, OfLimit {
        @Override
        public Key key() {
            return take.key();
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.reserve(this, argument);
        }
    }

    /**
     * Tells the true cost of a reservation.
     *
     * @param cost 0 to {@link Limits#TOKENS_MAX}, also beyond the limit
     */
    record Settle(Key key, Key hold, long cost) implements KeyWrite, OfLimit {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.settle(this, argument);
        }
    }

    /**
     * Asks for tokens that the holder then spends by itself.
     *
     * @param take its cost, above 0, is how many are wanted; no shadow
     * @param holder who asks, an identity of at most {@link Limits#HOLDER_BYTES_MAX} bytes
     * @param min fewer than so many are no use, 1 to the cost
     */
    record Grant(Take take, Key holder, long min) implements KeyWrite, OfLimit {
        @Override
        public Key key() {
            return take.key();
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.grant(this, argument);
        }
    }

    /**
     * Gives back what a holder has not spent of its shares.
     *
     * @param unused 0 to {@link Limits#TOKENS_MAX}
     */
    record Return(Key key, Key holder, long unused) implements KeyWrite, OfLimit {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.giveBack(this, argument);
        }
    }

    /**
     * Takes of one region, 1 to {@link Limits#TAKES_MAX}, all or none: where one that is no shadow has too few tokens,
     * none takes any.
     *
     * @param dataBytes what they take on the wire, at most {@link Limits#MULTI_BYTES_MAX}
     */
    record TakeAll(List<Take> takes, int dataBytes) implements OfLimit {
        @Override
        public int size() {
            return takes.size();
        }

        @Override
        public int heldBytes() {
            return dataBytes + Limits.INNER_REQUEST_HEAP_BYTES * size();
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.takeAll(this, argument);
        }
    }

    /** Empties a region; an empty name is the default region. */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record FlushAll(byte[] region) implements Write {
        @Override
        public int heldBytes() {
            return region.length;
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.flushAll(this, argument);
        }
    }

    /**
     * The value of a key and all about it.
     *
     * @param stale whether an entry that is expired and not yet purged counts
     */
    record Fetch(Key key, boolean stale, @Nullable ReadMode mode) implements KeyRead {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor) {
            return visitor.fetch(this, argument);
        }

        @Override
        public Kind kind() {
            return Kind.FETCH;
        }
    }

    /** The same without the value; see {@link Fetch}. */
    record Stat(Key key, boolean stale, @Nullable ReadMode mode) implements KeyRead {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor) {
            return visitor.stat(this, argument);
        }

        @Override
        public Kind kind() {
            return Kind.STAT;
        }
    }

    /** What is done where there is no room for what a write adds. */
    enum Full {
        /** What the region's limit says; without one, the write is refused. */
        AS_REGION,
        /** The entries of its region that were not written for longest go. */
        EVICT,
        /** The write is refused. */
        REFUSE
    }

    /**
     * Stores a value with a type, if the condition holds.
     *
     * @param type neither LIST nor LIMITER
     * @param flags 32 bits; 0 for RAW
     * @param full if there is no room for it
     * @param value in the form that its type has on the wire
     */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record Put(Key key, long ttlMillis, ValueType type, int flags, Condition condition, Full full, byte[] value)
            implements KeyWrite {

        /** One that does what the region says where there is no room. */
        public Put(Key key, long ttlMillis, ValueType type, int flags, Condition condition, byte[] value) {
            this(key, ttlMillis, type, flags, condition, Full.AS_REGION, value);
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.put(this, argument);
        }

        @Override
        public int dataBytes() {
            return value.length;
        }
    }

    /**
     * Removes a key, if the condition holds.
     *
     * @param condition not that the key is absent
     */
    record Remove(Key key, Condition condition) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.remove(this, argument);
        }
    }

    /** Sets the time to live of a key; revives an entry that is expired and not yet purged. */
    record Expire(Key key, long ttlMillis) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.expire(this, argument);
        }
    }

    /**
     * Adds to a number.
     *
     * @param init what an absent key is taken for; null if it must be there
     * @param initTtlMillis how long such a key lives
     * @param full if there is no room for it
     */
    record IncrNumber(Key key, double by, @Nullable Double init, long initTtlMillis, Full full) implements KeyWrite {

        /** One that does what the region says where there is no room. */
        public IncrNumber(Key key, double by, @Nullable Double init, long initTtlMillis) {
            this(key, by, init, initTtlMillis, Full.AS_REGION);
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.incrNumber(this, argument);
        }
    }

    /** An end of a list. */
    enum End {
        LEFT,
        RIGHT
    }

    /**
     * Adds an element of at most {@link Limits#ELEMENT_BYTES_MAX} bytes to a list.
     *
     * @param type STRING or NUMBER
     * @param element in the form that its type has on the wire
     */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record Push(Key key, End end, ValueType type, Full full, byte[] element) implements KeyWrite {

        /** One that does what the region says where there is no room. */
        public Push(Key key, End end, ValueType type, byte[] element) {
            this(key, end, type, Full.AS_REGION, element);
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.push(this, argument);
        }

        @Override
        public int dataBytes() {
            return element.length;
        }
    }

    /** Takes an element off a list. */
    record Pop(Key key, End end) implements KeyWrite {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.pop(this, argument);
        }
    }

    /**
     * The keys of a region, least recently written first.
     *
     * @param max 1 to {@link Limits#KEYS_MAX}
     * @param after only keys that were written after this version
     */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record Keys(
            byte[] region, int max, long after, @Nullable ReadMode mode) implements RegionRead {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor) {
            return visitor.keys(this, argument);
        }
    }

    /** How much is in a region. */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record RegionInfo(byte[] region, @Nullable ReadMode mode) implements RegionRead {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor) {
            return visitor.regionInfo(this, argument);
        }
    }

    /**
     * Frees entries of a region that are expired and not yet purged. Neither a read nor a write: it looks for them
     * first.
     *
     * @param max how many; 0 for all
     */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record FlushExpired(byte[] region, long max) implements Other {
        @Override
        public int heldBytes() {
            return region.length;
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.flushExpired(this, argument);
        }
    }

    /** Several keys, 1 to {@link Limits#MULTI_REQUESTS_MAX}; its mode is that of all of them. */
    record MultiRead(List<KeyRead> reads, @Nullable ReadMode mode) implements Read {
        @Override
        public int size() {
            return reads.size();
        }

        @Override
        public int heldBytes() {
            int bytes = 0;
            for (KeyRead read : reads) {
                bytes += Limits.INNER_REQUEST_HEAP_BYTES + read.heldBytes();
            }
            return bytes;
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfRead<A, R> visitor) {
            return visitor.multiRead(this, argument);
        }
    }

    /**
     * Writes, 1 to {@link Limits#MULTI_REQUESTS_MAX}, that take effect at once and all or none.
     *
     * @param dataBytes what they take on the wire, at most {@link Limits#MULTI_BYTES_MAX}
     */
    record Multi(List<KeyWrite> writes, int dataBytes) implements Write {
        @Override
        public int size() {
            return writes.size();
        }

        @Override
        public int heldBytes() {
            return dataBytes + Limits.INNER_REQUEST_HEAP_BYTES * size();
        }

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.multi(this, argument);
        }
    }

    /**
     * A write with an identity of the client's own: it takes effect once, however often and through whichever node it
     * comes.
     *
     * @param client a random number that nobody else has, 0 or more
     * @param sequence the write's number there, 1 or more
     * @param done the client knows the outcomes of all its writes below this number, 1 to {@code sequence}; 0 if it
     *     does not say. One that says it promises to mark every repeat.
     * @param retry whether this is a repeat: the same write may have been sent before
     * @param unlisted whether the client is not to become known by this; a node decides that, no client says it
     * @param write not identified itself
     */
    record Identified(long client, long sequence, long done, boolean retry, boolean unlisted, Write write)
            implements Write {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfWrite<A, R> visitor) {
            return visitor.identified(this, argument);
        }

        /** As a client says it. */
        public Identified(long client, long sequence, long done, boolean retry, Write write) {
            this(client, sequence, done, retry, false, write);
        }

        /** One of a client that says neither what it knows nor what is a repeat. */
        public Identified(long client, long sequence, Write write) {
            this(client, sequence, 0, false, write);
        }

        /** The same write, by which its client is not to become known. */
        public Identified asUnlisted() {
            return new Identified(client, sequence, done, retry, true, write);
        }

        @Override
        public int size() {
            return write.size();
        }

        @Override
        public int heldBytes() {
            return write.heldBytes();
        }

        @Override
        public int dataBytes() {
            return write.dataBytes();
        }
    }

    /** From here on, reads of this connection that do not name a mode have this one. */
    record SetReadMode(ReadMode mode) implements Other {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.setReadMode(this, argument);
        }
    }

    /**
     * Whether this connection's takes from here on may be decided from the node's shares, as if they said
     * {@code share=yes}.
     */
    record SetShares(boolean allowed) implements Other {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.setShares(this, argument);
        }
    }

    /** Asks whether the node answers. */
    enum Ping implements Other {
        PING;

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.ping(this, argument);
        }
    }

    /** Asks who answers, and what it can. */
    enum Info implements Other {
        INFO;

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.info(this, argument);
        }
    }

    /**
     * Says who is connected.
     *
     * @param user 1 to {@link Limits#LINE_BYTES_MAX} bytes
     * @param secret the same
     */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record Auth(byte[] user, byte[] secret) implements Other {
        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.auth(this, argument);
        }

        /** Without the secret. */
        @Override
        public String toString() {
            return "Auth";
        }
    }

    /** Ends the connection after everything before it is answered. */
    enum Quit implements Other {
        QUIT;

        @Override
        public <A, R> R accept(A argument, CommandVisitor.OfOther<A, R> visitor) {
            return visitor.quit(this, argument);
        }
    }
}
