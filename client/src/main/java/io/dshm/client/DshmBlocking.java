package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * {@link DshmClient} for threads that wait: each method is the one of the same name there, and throws a
 * {@link DshmException} where its future fails. A thread that is interrupted meanwhile gets an exception, too, and
 * stays interrupted; a call that was not sent yet is not sent any more.
 *
 * <p>Thread-safe: many threads share the connections. Not for the event loop, where waiting would wait for itself:
 * there it is an {@code IllegalStateException}.
 */
public final class DshmBlocking {

    private final DshmClient client;

    DshmBlocking(DshmClient client) {
        this.client = client;
    }

    /** The same client without waiting. */
    public DshmClient async() {
        return client;
    }

    /** The value of a key; nothing if it is absent. A rate limiter's value is the number of tokens left. */
    public Optional<byte[]> get(String key) {
        return Waiting.get(client.get(key));
    }

    /** The value of a key as UTF-8. */
    public Optional<String> getText(String key) {
        return Waiting.get(client.getText(key));
    }

    /**
     * The values of those keys that are there, in one round trip, all of one moment. Keys and values together are
     * bounded, see the protocol's limits.
     */
    public Map<String, byte[]> getAll(List<String> keys) {
        return Waiting.get(client.getAll(keys));
    }

    /** Stores a value, whatever was there, for that time; zero is for ever. */
    public void set(String key, byte[] value, Duration ttl) {
        Waiting.get(client.set(key, value, ttl));
    }

    /** Stores a text as UTF-8; see {@link #set(String, byte[], Duration)}. */
    public void set(String key, String value, Duration ttl) {
        Waiting.get(client.set(key, value, ttl));
    }

    /** Sets the time to live of a key, zero for ever; nothing happens if it is absent. */
    public void touch(String key, Duration ttl) {
        Waiting.get(client.touch(key, ttl));
    }

    /** Removes a key of any kind, if it is there. */
    public void delete(String key) {
        Waiting.get(client.delete(key));
    }

    /** Adds to an integer, which is 0 and never expires if it is absent; returns the sum. */
    public long incr(String key, long by) {
        return Waiting.get(client.incr(key, by));
    }

    /**
     * Adds to an integer; an absent one becomes {@code by + init}, and lives as long as {@code initTtl} says, zero for
     * ever.
     */
    public long incr(String key, long by, long init, Duration initTtl) {
        return Waiting.get(client.incr(key, by, init, initTtl));
    }

    /** Takes a token of a sliding window, and returns how many are left; -1 if there was none. */
    public long rateLimiter(String key, int capacity, Duration window) {
        return Waiting.get(client.rateLimiter(key, capacity, window));
    }

    /** A value and all about it; nothing if the key is absent. */
    public Optional<Entry> fetch(String key) {
        return Waiting.get(client.fetch(key));
    }

    /** The same, also of an entry that has expired and is not yet purged. */
    public Optional<Entry> fetchStale(String key) {
        return Waiting.get(client.fetchStale(key));
    }

    /** All about an entry but its value; nothing if the key is absent. */
    public Optional<EntryInfo> stat(String key) {
        return Waiting.get(client.stat(key));
    }

    /** Stores a value with its type and flags, if the condition of the options holds. */
    public Stored put(String key, Value value, PutOptions options) {
        return Waiting.get(client.put(key, value, options));
    }

    /** Removes a key, if the condition holds; returns whether it did. */
    public boolean remove(String key, Condition condition) {
        return Waiting.get(client.remove(key, condition));
    }

    /**
     * Sets the time to live of a key, zero for ever; returns whether it is there. Revives an entry that has expired and
     * is not yet purged.
     */
    public boolean expire(String key, Duration ttl) {
        return Waiting.get(client.expire(key, ttl));
    }

    /** Adds to a number that has to be there; nothing if it is not. */
    public OptionalDouble incrNumber(String key, double by) {
        return Waiting.get(client.incrNumber(key, by));
    }

    /**
     * Adds to a number; an absent one becomes {@code by + init}, and lives as long as {@code initTtl} says, zero for
     * ever.
     */
    public double incrNumber(String key, double by, double init, Duration initTtl) {
        return Waiting.get(client.incrNumber(key, by, init, initTtl));
    }

    /** Adds a string or number at that end of a list, which begins to be if it is absent; returns its length. */
    public long push(String key, Command.End end, Value element) {
        return Waiting.get(client.push(key, end, element));
    }

    /** Takes an element off that end of a list; nothing if there is none. */
    public Optional<Value> pop(String key, Command.End end) {
        return Waiting.get(client.pop(key, end));
    }

    /**
     * Makes several writes of one key at once, all or none; their keys are made by {@link DshmClient#wireKey}. Returns
     * the replies, in their order.
     */
    public List<Reply> multi(List<? extends Command.KeyWrite> writes) {
        return Waiting.get(client.multi(writes));
    }

    /** Takes tokens of a limit, or none where it has too few. A cost of 0 only looks, less gives back. */
    public Decision take(String key, Policy policy, long cost) {
        return Waiting.get(client.take(key, policy, cost));
    }

    /** The same of a limit that the entry {@code policies::NAME} says. */
    public Decision take(String key, String policyName, long cost) {
        return Waiting.get(client.take(key, policyName, cost));
    }

    /** See {@link DshmClient#takeShared}. */
    public Decision takeShared(String key, Policy policy, long cost) {
        return Waiting.get(client.takeShared(key, policy, cost));
    }

    /** Takes of several limits of one region, all or none; their keys are made by {@link DshmClient#wireKey}. */
    public Decisions takeAll(List<Command.Take> takes) {
        return Waiting.get(client.takeAll(takes));
    }

    /**
     * Takes a cost that is not known for certain yet, and remembers it under {@code hold}; what is not settled within
     * {@code ttl} stays spent.
     */
    public Decision reserve(String key, Policy policy, long cost, String hold, Duration ttl) {
        return Waiting.get(client.reserve(key, policy, cost, hold, ttl));
    }

    /** Tells the true cost of a reservation: the difference goes back, or is taken even beyond the limit. */
    public Decision settle(String key, String hold, long cost) {
        return Waiting.get(client.settle(key, hold, cost));
    }

    /**
     * Asks for a share: {@code min} to {@code want} tokens that the holder spends by itself. {@link RateLimiter} does
     * that for you.
     */
    public Share grant(String key, Policy policy, String holder, long want, long min) {
        return Waiting.get(client.grant(key, policy, holder, want, min));
    }

    /** Gives back what a holder has not spent of its shares. */
    public void giveBack(String key, String holder, long unused) {
        Waiting.get(client.giveBack(key, holder, unused));
    }

    /**
     * Asks for one of {@code limit} permits, or renews the one that this holder has. {@link Lock} does that for you.
     */
    public Permit acquire(String key, long limit, String holder, Duration ttl) {
        return Waiting.get(client.acquire(key, limit, holder, ttl));
    }

    /** Gives a permit back, if this holder has one. */
    public void release(String key, String holder) {
        Waiting.get(client.release(key, holder));
    }

    /** Empties a region; an empty name is the default region. */
    public void flushAll(String region) {
        Waiting.get(client.flushAll(region));
    }

    /**
     * Keys of a region, at most {@code max}, that were written after that version: 0 for the first ones, then
     * {@link KeyPage#next}.
     */
    public KeyPage keys(String region, int max, long after) {
        return Waiting.get(client.keys(region, max, after));
    }

    /** What is in a region. */
    public RegionInfo region(String region) {
        return Waiting.get(client.region(region));
    }

    /** Frees entries of a region that have expired, {@code max} at most, 0 for all; returns how many. */
    public long flushExpired(String region, long max) {
        return Waiting.get(client.flushExpired(region, max));
    }

    /** Who answers, and who leads. */
    public NodeInfo info() {
        return Waiting.get(client.info());
    }

    /**
     * Whatever has no method of its own; its keys are made by {@link DshmClient#wireKey}. An error fails the call as it
     * does everywhere.
     */
    public Reply call(Command command) {
        return Waiting.get(client.call(command));
    }
}
