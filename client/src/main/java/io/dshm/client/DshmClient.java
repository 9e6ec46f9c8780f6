package io.dshm.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A client of a cluster: thread-safe, one for a whole program. {@link #builder} makes one.
 *
 * <p><b>Outcomes.</b> Every method returns at once, and its future ends in one of three ways: with the result; with an
 * {@link InvalidCallException} or {@link UnavailableException}, and then it was not applied; with an
 * {@link UnknownOutcomeException}, and then it may have taken effect, or may still do so, once. No later than its
 * deadline: after that nothing is sent any more. Within it a call is tried again, on another node where that is better,
 * but never so that it could take effect twice: writes have an identity of this client ({@code id=}, {@code seq=},
 * {@code done=}), by which the cluster knows a copy. A cancelled call is not sent any more, if it was not yet.
 *
 * <p><b>Threads.</b> There is one, the event loop, and one more for each name while it is looked up. What follows a
 * future runs on the event loop, so it must not block; the {@code ...Async} methods of the future, or
 * {@link DshmClientBuilder#callbacks}, run it elsewhere. {@link #blocking} is the same for threads that wait.
 *
 * <p><b>Order.</b> Calls that are under way at the same time have no order among them: reads overtake writes. Where the
 * order counts, make a call when the one before is done. A read of a node then sees every write that this node has
 * acknowledged.
 *
 * <p><b>Keys</b> are texts; each piece between colons is percent-encoded, as the Lua client does it, so any text is a
 * key. The region of a key is what is before its first colon. <b>Values</b> are bytes that are neither copied nor to be
 * changed afterwards.
 */
public final class DshmClient implements AutoCloseable {

    private final Core core;
    private final CallOptions options;

    DshmClient(Core core, CallOptions options) {
        this.core = core;
        this.options = options;
    }

    /** To make a client. */
    public static DshmClientBuilder builder() {
        return new DshmClientBuilder();
    }

    /** The same client for threads that wait for each outcome. */
    public DshmBlocking blocking() {
        return new DshmBlocking(this);
    }

    /** The same client with another deadline for each call. */
    public DshmClient withDeadline(Duration deadline) {
        DshmClientBuilder.requirePositive(deadline);
        return new DshmClient(core, new CallOptions(deadline, options.readMode(), options.hedgeNanos()));
    }

    /** The same client, whose reads are of this mode, whatever that of the nodes is. */
    public DshmClient withReadMode(ReadMode mode) {
        return new DshmClient(core, new CallOptions(options.deadline(), mode, options.hedgeNanos()));
    }

    /**
     * The same client, whose local reads of keys are sent to a second node as well if the first one has not answered
     * after that time; the reply that comes first counts. The second node may lag behind, so a later read may see an
     * older state.
     */
    public DshmClient withHedging(Duration after) {
        DshmClientBuilder.requirePositive(after);
        core.hedge();
        return new DshmClient(core, new CallOptions(options.deadline(), options.readMode(), after.toNanos()));
    }

    /** A limit that is asked by key. */
    public RateLimiter rateLimiter(Policy policy) {
        return new RateLimiter(this, core, policy);
    }

    /** A lock of which everybody who names this key sees the same. */
    public Lock lock(String key) {
        return new Lock(this, key);
    }

    /** The integer under a key. */
    public Counter counter(String key) {
        return new Counter(this, key);
    }

    /** A key as it stands on the wire, for commands that you make yourself. */
    public static Key wireKey(String key) {
        return Keys.of(key);
    }

    /** The value of a key; nothing if it is absent. A rate limiter's value is the number of tokens left. */
    public CompletableFuture<Optional<byte[]>> get(String key) {
        return call(new Command.Get(Keys.of(key), mode()), Replies::found);
    }

    /** The value of a key as UTF-8. */
    public CompletableFuture<Optional<String>> getText(String key) {
        return call(
                new Command.Get(Keys.of(key), mode()),
                reply -> Replies.found(reply).map(Replies::text));
    }

    /**
     * The values of those keys that are there, in one round trip, all of one moment. Keys and values together are
     * bounded, see the protocol's limits.
     */
    public CompletableFuture<Map<String, byte[]>> getAll(List<String> keys) {
        return several(keys);
    }

    /** Stores a value, whatever was there, for that time; zero is for ever. */
    public CompletableFuture<Void> set(String key, byte[] value, Duration ttl) {
        return call(new Command.Set(Keys.of(key), millis(ttl), value), Replies::set);
    }

    /** Stores a text as UTF-8; see {@link #set(String, byte[], Duration)}. */
    public CompletableFuture<Void> set(String key, String value, Duration ttl) {
        return set(key, value.getBytes(UTF_8), ttl);
    }

    /** Sets the time to live of a key, zero for ever; nothing happens if it is absent. */
    public CompletableFuture<Void> touch(String key, Duration ttl) {
        return call(new Command.Touch(Keys.of(key), millis(ttl)), Replies::done);
    }

    /** Removes a key of any kind, if it is there. */
    public CompletableFuture<Void> delete(String key) {
        return call(new Command.Delete(Keys.of(key)), Replies::done);
    }

    /** Adds to an integer, which is 0 and never expires if it is absent; returns the sum. */
    public CompletableFuture<Long> incr(String key, long by) {
        return incr(key, by, 0, Duration.ZERO);
    }

    /**
     * Adds to an integer; an absent one becomes {@code by + init}, and lives as long as {@code initTtl} says, zero for
     * ever.
     */
    public CompletableFuture<Long> incr(String key, long by, long init, Duration initTtl) {
        return call(new Command.Incr(Keys.of(key), by, init, millis(initTtl)), Replies::count);
    }

    /** Takes a token of a sliding window, and returns how many are left; -1 if there was none. */
    public CompletableFuture<Long> rateLimiter(String key, int capacity, Duration window) {
        return call(new Command.RateLimiter(Keys.of(key), capacity, millis(window)), Replies::count);
    }

    /** A value and all about it; nothing if the key is absent. */
    public CompletableFuture<Optional<Entry>> fetch(String key) {
        return call(new Command.Fetch(Keys.of(key), false, mode()), Replies::entry);
    }

    /** The same, also of an entry that has expired and is not yet purged. */
    public CompletableFuture<Optional<Entry>> fetchStale(String key) {
        return call(new Command.Fetch(Keys.of(key), true, mode()), Replies::entry);
    }

    /** All about an entry but its value; nothing if the key is absent. */
    public CompletableFuture<Optional<EntryInfo>> stat(String key) {
        return call(new Command.Stat(Keys.of(key), false, mode()), Replies::info);
    }

    /** Stores a value with its type and flags, if the condition of the options holds. */
    public CompletableFuture<Stored> put(String key, Value value, PutOptions options) {
        return call(
                new Command.Put(
                        Keys.of(key),
                        millis(options.ttl()),
                        value.type(),
                        value.flags(),
                        options.condition(),
                        options.full(),
                        value.bytes()),
                Replies::stored);
    }

    /** Removes a key, if the condition holds; returns whether it did. */
    public CompletableFuture<Boolean> remove(String key, Condition condition) {
        return call(new Command.Remove(Keys.of(key), condition), Replies::held);
    }

    /**
     * Sets the time to live of a key, zero for ever; returns whether it is there. Revives an entry that has expired and
     * is not yet purged.
     */
    public CompletableFuture<Boolean> expire(String key, Duration ttl) {
        return call(new Command.Expire(Keys.of(key), millis(ttl)), Replies::held);
    }

    /** Adds to a number that has to be there; nothing if it is not. */
    public CompletableFuture<OptionalDouble> incrNumber(String key, double by) {
        return call(new Command.IncrNumber(Keys.of(key), by, null, 0), Replies::sum);
    }

    /**
     * Adds to a number; an absent one becomes {@code by + init}, and lives as long as {@code initTtl} says, zero for
     * ever.
     */
    public CompletableFuture<Double> incrNumber(String key, double by, double init, Duration initTtl) {
        return call(
                new Command.IncrNumber(Keys.of(key), by, init, millis(initTtl)),
                reply -> Replies.sum(reply).orElseThrow());
    }

    /** Adds a string or number at that end of a list, which begins to be if it is absent; returns its length. */
    public CompletableFuture<Long> push(String key, Command.End end, Value element) {
        return call(
                new Command.Push(Keys.of(key), end, element.type(), element.bytes()),
                reply -> Replies.number(new Reply.Value(Replies.anyValue(reply))));
    }

    /** Takes an element off that end of a list; nothing if there is none. */
    public CompletableFuture<Optional<Value>> pop(String key, Command.End end) {
        return call(new Command.Pop(Keys.of(key), end), Replies::element);
    }

    /**
     * Makes several writes of one key at once, all or none; their keys are made by {@link #wireKey}. Returns the
     * replies, in their order.
     */
    public CompletableFuture<List<Reply>> multi(List<? extends Command.KeyWrite> writes) {
        return call(new Command.Multi(List.copyOf(writes), 0), reply -> Replies.within(Replies.value(reply)));
    }

    /** Takes tokens of a limit, or none where it has too few. A cost of 0 only looks, less gives back. */
    public CompletableFuture<Decision> take(String key, Policy policy, long cost) {
        return call(new Command.Take(Keys.of(key), policy, cost), LimitReplies::decision);
    }

    /** The same of a limit that the entry {@code policies::NAME} says. */
    public CompletableFuture<Decision> take(String key, String policyName, long cost) {
        return call(new Command.Take(Keys.of(key), null, policyKey(policyName), cost, false), LimitReplies::decision);
    }

    /**
     * The same, decided by the node from its own share of the limit where it has one: without a round to other nodes,
     * and never above the limit. A repeat after a lost answer may take twice.
     */
    public CompletableFuture<Decision> takeShared(String key, Policy policy, long cost) {
        return call(new Command.Take(Keys.of(key), policy, null, cost, false, true), LimitReplies::decision);
    }

    /** Takes of several limits of one region, all or none; their keys are made by {@link #wireKey}. */
    public CompletableFuture<Decisions> takeAll(List<Command.Take> takes) {
        return call(new Command.TakeAll(List.copyOf(takes), 0), LimitReplies::decisions);
    }

    /**
     * Takes a cost that is not known for certain yet, and remembers it under {@code hold}; what is not settled within
     * {@code ttl} stays spent.
     */
    public CompletableFuture<Decision> reserve(String key, Policy policy, long cost, String hold, Duration ttl) {
        return call(
                new Command.Reserve(new Command.Take(Keys.of(key), policy, cost), Keys.of(hold), millis(ttl)),
                LimitReplies::decision);
    }

    /** Tells the true cost of a reservation: the difference goes back, or is taken even beyond the limit. */
    public CompletableFuture<Decision> settle(String key, String hold, long cost) {
        return call(new Command.Settle(Keys.of(key), Keys.of(hold), cost), LimitReplies::decision);
    }

    /**
     * Asks for a share: {@code min} to {@code want} tokens that the holder spends by itself. {@link RateLimiter} does
     * that for you.
     */
    public CompletableFuture<Share> grant(String key, Policy policy, String holder, long want, long min) {
        return call(
                new Command.Grant(new Command.Take(Keys.of(key), policy, want), Keys.of(holder), min),
                LimitReplies::share);
    }

    /** Gives back what a holder has not spent of its shares. */
    public CompletableFuture<Void> giveBack(String key, String holder, long unused) {
        return call(new Command.Return(Keys.of(key), Keys.of(holder), unused), Replies::done);
    }

    /**
     * Asks for one of {@code limit} permits, or renews the one that this holder has. {@link Lock} does that for you.
     */
    public CompletableFuture<Permit> acquire(String key, long limit, String holder, Duration ttl) {
        return call(new Command.Acquire(Keys.of(key), limit, Keys.of(holder), millis(ttl)), LimitReplies::permit);
    }

    /** Gives a permit back, if this holder has one. */
    public CompletableFuture<Void> release(String key, String holder) {
        return call(new Command.Release(Keys.of(key), Keys.of(holder)), Replies::done);
    }

    /** Empties a region; an empty name is the default region. */
    public CompletableFuture<Void> flushAll(String region) {
        return call(new Command.FlushAll(Keys.region(region)), Replies::done);
    }

    /**
     * Keys of a region, at most {@code max}, that were written after that version: 0 for the first ones, then
     * {@link KeyPage#next}.
     */
    public CompletableFuture<KeyPage> keys(String region, int max, long after) {
        return call(new Command.Keys(Keys.region(region), max, after, mode()), Replies::keys);
    }

    /** What is in a region. */
    public CompletableFuture<RegionInfo> region(String region) {
        return call(new Command.RegionInfo(Keys.region(region), mode()), Replies::region);
    }

    /** Frees entries of a region that have expired, {@code max} at most, 0 for all; returns how many. */
    public CompletableFuture<Long> flushExpired(String region, long max) {
        return call(new Command.FlushExpired(Keys.region(region), max), Replies::number);
    }

    /** Who answers, and who leads. */
    public CompletableFuture<NodeInfo> info() {
        return call(Command.Info.INFO, Replies::node);
    }

    /**
     * Whatever has no method of its own; its keys are made by {@link #wireKey}. An error fails the call as it does
     * everywhere.
     */
    public CompletableFuture<Reply> call(Command command) {
        return call(command, Replies::any);
    }

    private CompletableFuture<Map<String, byte[]>> several(List<String> keys) {
        List<String> asked = List.copyOf(keys);
        List<Command.KeyRead> reads = asked.stream()
                .<Command.KeyRead>map(key -> new Command.Get(Keys.of(key)))
                .toList();
        return call(new Command.MultiRead(reads, mode()), reply -> Replies.found(asked, reply));
    }

    private static Key policyKey(String name) {
        return Keys.of(Limits.POLICY_REGION + "::" + name);
    }

    private @Nullable ReadMode mode() {
        return options.readMode();
    }

    private static long millis(Duration duration) {
        return DshmConnection.millis(duration);
    }

    private <T> CompletableFuture<T> call(Command command, Call.Reader<T> reader) {
        return core.call(command, options, reader);
    }

    Core core() {
        return core;
    }

    /** How many calls are outstanding: queued, under way, or waiting to be tried again. */
    public int outstanding() {
        return core.outstanding();
    }

    /**
     * Takes no more calls, waits for the outcomes of those that are outstanding, for one deadline at most, and closes.
     * All views of this client are closed with it.
     */
    @Override
    public void close() {
        close(options.deadline());
    }

    /**
     * The same with another time to wait; with zero, calls that are outstanding end at once: what was not sent as not
     * applied, a write that was as unknown.
     */
    public void close(Duration patience) {
        try {
            core.close(patience.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
