package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Eviction;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.LimitRegionCommand;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.Member;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.ReleaseCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.proto.wire.WhenFull;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the committed log means, written as plainly as possible: maps, lists and strings, nothing ever forgotten. It
 * keeps every version of every key, so that a read on a node that lags behind can be judged.
 */
final class Reference {

    private static final long UPLOAD_MILLIS = 60_000;
    private static final int LONG_VALUE_BYTES = 4096;

    /**
     * What a command brings about: one of the state machine's kinds, a number or a value for the reply, and whether that says that
     * entries were evicted.
     */
    record Effect(
            String kind, @Nullable Long number, @Nullable String value, boolean evicted) {

        Effect(String kind, @Nullable Long number, @Nullable String value) {
            this(kind, number, value, false);
        }

        static Effect of(String kind) {
            return new Effect(kind, null, null);
        }

        static Effect number(long number) {
            return new Effect("APPLIED", number, null);
        }
    }

    /**
     * One version of a key; {@code deadline} 0 is never; a limiter has grants and no value, and keeps them for
     * {@code keep}.
     */
    record Item(
            String value,
            @Nullable List<Long> grants,
            int capacity,
            long duration,
            long keep,
            long deadline,
            @Nullable Taken taken,
            @Nullable Map<String, Long> permits,
            @Nullable Held held) {

        Item(String value, @Nullable List<Long> grants, int capacity, long duration, long keep, long deadline) {
            this(value, grants, capacity, duration, keep, deadline, null, null, null);
        }

        static Item of(Taken taken, long deadline) {
            return new Item("", null, 0, 0, 0, deadline, taken, null, null);
        }

        /** Permits: of each its holder and its end. */
        static Item of(Map<String, Long> permits, int limit) {
            return new Item("", null, limit, 0, 0, Collections.max(permits.values()), null, permits, null);
        }

        static Item of(Held held, long clock) {
            return new Item("", null, 0, 0, 0, held.deadline(clock), null, null, held);
        }

        boolean isLimiter() {
            return grants != null || taken != null || permits != null || held != null;
        }

        boolean isExpiredAt(long clock) {
            return deadline != 0 && deadline <= clock;
        }

        long leftAt(long clock) {
            if (held != null) {
                return held.leftAt(clock);
            }
            if (permits != null) {
                long held = permits.values().stream().filter(end -> end > clock).count();
                return Math.max(0, capacity - held);
            }
            return taken == null ? capacity - grantsAt(clock) : taken.leftAt(clock);
        }

        long grantsAt(long clock) {
            return grants == null
                    ? 0
                    : grants.stream().filter(t -> clock - t < duration).count();
        }
    }

    /** The limit of a region. */
    record RegionLimit(long bytesMax, boolean evicts) {}

    /** Told when a command takes effect for the first time. */
    interface Listener {
        void onFirst(CommandRecord record, long index, Effect effect, @Nullable String publishedValue);
    }

    private record Registration(long folder, long start, List<Long> origins, boolean removed) {}

    private record Upload(int length, ByteArrayOutputStream bytes, long touched) {}

    private final Listener listener;
    private final Permissions permissions = new Permissions();
    private final Map<String, TreeMap<Long, Optional<Item>>> history = new HashMap<>();
    private final Map<String, Registration> nodes = new HashMap<>();
    private final Map<Long, Map<Long, Effect>> effects = new HashMap<>();
    private final Map<Long, Long> settled = new HashMap<>();
    private final Map<String, Upload> uploads = new HashMap<>();
    private final Map<Long, Boolean> waiting = new HashMap<>();

    /** The limits of all regions, by the index of the entry that changed one. */
    private final TreeMap<Long, Map<String, RegionLimit>> limits = new TreeMap<>(Map.of(0L, Map.of()));

    /** The number of the last write, of all keys, and that of the last one of each key. */
    private long lastVersion;

    private final Map<String, Long> versions = new HashMap<>();

    /** How many entries were evicted, and how many commands refused, for want of room. */
    private int evictions;

    private int refusals;

    /** The names of the members; null before the cluster has a list. */
    private @Nullable Set<String> members;

    private long clock;
    private int format = Formats.FIRST;

    Reference(Listener listener) {
        this.listener = listener;
    }

    int format() {
        return format;
    }

    long clock() {
        return clock;
    }

    /** Applies the next committed entry. */
    List<Effect> apply(long index, LogEntry entry) {
        clock = Math.max(clock, entry.getStampMillis());
        uploads.values().removeIf(upload -> clock - upload.touched > UPLOAD_MILLIS);
        entry.getSettledList().forEach(s -> settled.merge(s.getOrigin(), s.getBelow(), Math::max));
        for (Eviction eviction : entry.getEvictedList()) {
            evict(index, eviction);
        }
        List<Effect> result = new ArrayList<>();
        for (CommandRecord record : entry.getRecordsList()) {
            result.add(once(index, record));
        }
        boolean deadlines = history.values().stream()
                .flatMap(versions -> versions.lastEntry().getValue().stream())
                .anyMatch(item -> item.deadline != 0 && !item.isExpiredAt(clock));
        waiting.put(index, deadlines || !uploads.isEmpty());
        return result;
    }

    /** Whether something waited for time to pass after that entry. */
    boolean waitsForTime(long index) {
        return waiting.getOrDefault(index, false);
    }

    private Effect once(long index, CommandRecord record) {
        if (record.hasRegisterNode()) {
            return register(record.getRegisterNode());
        }
        if (record.hasSwitchFormat()) {
            format = Math.max(format, record.getSwitchFormat().getFormat());
            return Effect.of("APPLIED");
        }
        if (record.hasLogTime()) {
            return Effect.of("APPLIED");
        }
        if (record.hasFoundCluster() || record.hasChangeMember()) {
            changeMembers(record);
            return Effect.of("APPLIED");
        }
        Map<Long, Effect> known = effects.get(record.getOrigin());
        if (known == null) {
            return Effect.of("UNKNOWN_ORIGIN");
        }
        long settledBelow = settled.getOrDefault(record.getOrigin(), 1L);
        if (record.getSequence() < settledBelow) {
            return Effect.of("ALREADY_SETTLED");
        }
        Effect first = known.get(record.getSequence());
        if (first != null) {
            return first;
        }
        long before = record.getSequence() - 1;
        if (before >= settledBelow && !known.containsKey(before)) {
            return Effect.of("AHEAD");
        }
        String published = record.hasSetChunked() ? published(record.getOrigin(), record.getSetChunked()) : null;
        Effect effect = apply(index, record, published);
        if (record.getEvicts()) {
            effect = new Effect(effect.kind, effect.number, effect.value, true);
        }
        known.put(record.getSequence(), effect);
        listener.onFirst(record, index, effect, published);
        return effect;
    }

    private void changeMembers(CommandRecord record) {
        if (record.hasFoundCluster()) {
            if (members == null) {
                members = new HashSet<>();
                for (Member member : record.getFoundCluster().getMembersList()) {
                    members.add(member.getName());
                }
            }
            return;
        }
        String name = record.getChangeMember().getMember().getName();
        if (!record.getChangeMember().getRemoved()) {
            Objects.requireNonNull(members).add(name);
            return;
        }
        Objects.requireNonNull(members).remove(name);
        Registration ended = nodes.get(name);
        if (ended != null) {
            ended.origins.forEach(this::forget);
            nodes.put(name, new Registration(ended.folder, ended.start, List.of(), true));
        }
    }

    private void forget(long origin) {
        effects.remove(origin);
        settled.remove(origin);
        uploads.keySet().removeIf(id -> id.startsWith(origin + "/"));
    }

    private Effect register(RegisterNode command) {
        Registration before = nodes.get(command.getNode());
        if (members != null && !members.contains(command.getNode())) {
            return Effect.of("EXISTS");
        }
        if (before != null) {
            if (before.removed && before.folder == command.getFolder() && before.start >= command.getStart()) {
                return Effect.of("EXISTS");
            }
            boolean late = before.folder == command.getFolder() && before.start > command.getStart();
            if (late || before.origins.equals(command.getOriginsList())) {
                return Effect.of(late && format >= Formats.BOUNDS ? "EXISTS" : "APPLIED");
            }
            before.origins.forEach(this::forget);
        }
        nodes.put(
                command.getNode(),
                new Registration(
                        command.getFolder(), command.getStart(), List.copyOf(command.getOriginsList()), false));
        for (long origin : command.getOriginsList()) {
            effects.put(origin, new HashMap<>());
        }
        return Effect.of("APPLIED");
    }

    /** Its key holds nothing from here on, if nobody wrote it since the leader chose it, which is never a limiter. */
    private void evict(long index, Eviction eviction) {
        String key = text(eviction.getKey());
        Item item = at(Long.MAX_VALUE, key);
        lastVersion++;
        if (item != null && versions.getOrDefault(key, 0L) == eviction.getVersion()) {
            Checks.require(!item.isLimiter(), "the limiter %s is evicted at index %d", key, index);
            Checks.require(format >= Formats.BOUNDS, "%s is evicted in the first format, at index %d", key, index);
            evictions++;
            keep(index, key, null);
        }
    }

    private Effect limitRegion(long index, LimitRegionCommand command) {
        Map<String, RegionLimit> now = new TreeMap<>(limits.lastEntry().getValue());
        String region = text(command.getRegion());
        if (command.getBytesMax() == 0) {
            now.remove(region);
        } else {
            now.put(region, new RegionLimit(command.getBytesMax(), command.getWhenFull() == WhenFull.EVICT));
        }
        limits.put(index, now);
        return Effect.of("APPLIED");
    }

    /** The limits of regions after that entry. */
    Map<String, RegionLimit> limitsAt(long index) {
        return limits.floorEntry(index).getValue();
    }

    int evictions() {
        return evictions;
    }

    int refusals() {
        return refusals;
    }

    int denials() {
        return permissions.denials();
    }

    private Effect apply(long index, CommandRecord record, @Nullable String published) {
        if (!permissions.admit(record)) {
            return Effect.of(record.hasSetChunked() && published == null ? "CHUNKS_MISSING" : "DENIED");
        }
        return switch (record.getCommandCase()) {
            case SET -> {
                String value = text(record.getSet().getValue());
                write(
                        index,
                        text(record.getSet().getKey()),
                        plain(value, deadline(record.getSet().getTtlMillis())));
                yield Effect.of("APPLIED");
            }
            case TOUCH -> {
                String key = text(record.getTouch().getKey());
                Item item = find(key);
                if (item != null && !item.isLimiter()) {
                    write(
                            index,
                            key,
                            plain(item.value, deadline(record.getTouch().getTtlMillis())));
                }
                yield Effect.of("APPLIED");
            }
            case DELETE -> {
                write(index, text(record.getDelete().getKey()), null);
                yield Effect.of("APPLIED");
            }
            case INCR -> incr(index, record.getIncr());
            case RATE_LIMITER -> rateLimiter(index, record.getRateLimiter());
            case TAKE -> take(index, record.getTake());
            case RESERVE, GRANT, SETTLE, GIVE_BACK -> holding(index, record);
            case ACQUIRE -> acquire(index, record.getAcquire());
            case RELEASE -> release(index, record.getRelease());
            case TAKE_ALL -> takeAll(index, record.getTakeAll());
            case FLUSH_ALL -> {
                String region = text(record.getFlushAll().getRegion());
                lastVersion++;
                List.copyOf(history.keySet()).stream()
                        .filter(key -> regionOf(key).equals(region))
                        .forEach(key -> keep(index, key, null));
                yield Effect.of("APPLIED");
            }
            case CHUNK -> {
                yield Effect.of(chunk(record.getOrigin(), record.getChunk()) ? "APPLIED" : "CHUNKS_MISSING");
            }
            case SET_CHUNKED -> {
                if (published == null) {
                    yield Effect.of("CHUNKS_MISSING");
                }
                SetChunkedCommand set = record.getSetChunked();
                write(index, text(set.getKey()), plain(published, deadline(set.getTtlMillis())));
                yield Effect.of("APPLIED");
            }
            case LIMIT_REGION -> limitRegion(index, record.getLimitRegion());
            case CHANGE_USERS -> Effect.of(permissions.change(record.getChangeUsers()));
            case REFUSED -> {
                refusals++;
                yield Effect.of("OUT_OF_MEMORY");
            }
            // The simulated clients send none of these; those in the last line are handled before.
            case PUT,
                    PUT_CHUNKED,
                    REMOVE,
                    EXPIRE,
                    INCR_NUMBER,
                    PUSH,
                    POP,
                    PURGE,
                    MULTI,
                    REGISTER_NODE,
                    LOG_TIME,
                    SWITCH_FORMAT,
                    FOUND_CLUSTER,
                    CHANGE_MEMBER,
                    COMMAND_NOT_SET -> throw new IllegalArgumentException("not expected here: " + record);
        };
    }

    private Effect incr(long index, IncrCommand command) {
        String key = text(command.getKey());
        Item item = find(key);
        if (item != null && item.isLimiter()) {
            return Effect.of("BAD_REQUEST");
        }
        if (item != null && !item.value.matches("[+-]?[0-9]{1,19}")) {
            return item.value.length() <= LONG_VALUE_BYTES
                    ? new Effect("APPLIED", null, item.value)
                    : Effect.of("NO_INTEGER");
        }
        BigInteger old = item == null ? BigInteger.valueOf(command.getInit()) : new BigInteger(item.value);
        BigInteger sum = old.add(BigInteger.valueOf(command.getBy()));
        if (sum.bitLength() > 63) {
            return Effect.of("OVERFLOW");
        }
        write(index, key, plain(sum.toString(), item == null ? deadline(command.getInitTtlMillis()) : item.deadline));
        return Effect.number(sum.longValue());
    }

    private Effect rateLimiter(long index, RateLimiterCommand command) {
        String key = text(command.getKey());
        Item item = find(key);
        if (item != null && item.grants == null) {
            return Effect.of("BAD_REQUEST");
        }
        int capacity = (int) command.getCapacity();
        long duration = command.getDurationMillis();
        List<Long> before = item == null || item.grants == null ? List.of() : item.grants;
        long keep = item == null || format < Formats.BOUNDS ? duration : Math.max(item.keep, duration);
        long inWindow = before.stream().filter(t -> clock - t < duration).count();
        if (inWindow >= capacity) {
            if (item != null && capacity > 0 && keep > item.keep && format >= Formats.BOUNDS) {
                long end = before.get(before.size() - 1) + keep;
                write(index, key, new Item("", before, item.capacity, item.duration, keep, end));
            }
            return Effect.number(-1);
        }
        List<Long> grants =
                new ArrayList<>(before.stream().filter(t -> clock - t < keep).toList());
        grants.add(clock);
        write(index, key, new Item("", grants, capacity, duration, keep, clock + keep));
        return Effect.number(
                capacity - grants.stream().filter(t -> clock - t < duration).count());
    }

    private Effect holding(long index, CommandRecord record) {
        return switch (record.getCommandCase()) {
            case RESERVE -> {
                String id = text(record.getReserve().getHold());
                yield onHeld(record.getReserve().getTake(), (key, held, take) -> {
                    boolean known = held.hasReservation(id);
                    boolean allowed = known || held.allows(clock, take.getCost());
                    long end = clock + record.getReserve().getTtlMillis();
                    Held after = allowed && !known ? held.plus(false, id, take.getCost(), end) : held;
                    if (!known && (allowed || hasEnded(key))) {
                        writeHeld(index, key, after);
                    }
                    return new Effect("APPLIED", null, after.words(allowed, clock));
                });
            }
            case GRANT ->
                onHeld(record.getGrant().getTake(), (key, held, take) -> {
                    long left = held.leftAt(clock);
                    long granted = Math.min(left, take.getCost());
                    granted = granted < record.getGrant().getMin() ? 0 : granted;
                    long life = granted == 0 ? 0 : held.lifeMillis(clock);
                    if (granted > 0) {
                        writeHeld(
                                index,
                                key,
                                held.plus(true, text(record.getGrant().getHolder()), granted, clock + life));
                    }
                    String words = "granted=" + granted + " limit="
                            + held.used().limit() + " remaining=" + (left - granted) + " life=" + life;
                    return new Effect("APPLIED", null, words);
                });
            case SETTLE -> {
                String key = text(record.getSettle().getKey());
                Item item = find(key);
                String id = text(record.getSettle().getHold());
                if (item == null || item.held == null) {
                    yield Effect.of(item == null ? "NOT_FOUND" : "BAD_REQUEST");
                }
                Held held = item.held.at(clock);
                if (!held.hasReservation(id)) {
                    yield Effect.of("NOT_FOUND");
                }
                if (!held.isSettled(id)) {
                    held = held.settled(id).afterUse(clock, record.getSettle().getCost());
                    writeHeld(index, key, held);
                }
                yield new Effect("APPLIED", null, held.words(true, clock));
            }
            default -> {
                String key = text(record.getGiveBack().getKey());
                Item item = find(key);
                if (item != null && item.held == null) {
                    yield Effect.of("BAD_REQUEST");
                }
                if (item != null && item.held != null) {
                    Held held = item.held.at(clock);
                    Held after = held.givenBack(
                            text(record.getGiveBack().getHolder()),
                            record.getGiveBack().getUnused());
                    if (after.held() < held.held()) {
                        writeHeld(index, key, after);
                    }
                }
                yield Effect.of("APPLIED");
            }
        };
    }

    private interface OnHeld {
        Effect apply(String key, Held held, TakeCommand take);
    }

    private Effect onHeld(TakeCommand take, OnHeld call) {
        String key = text(take.getKey());
        Item item = find(key);
        if (item != null && (item.held == null || item.held.algorithm() != take.getAlgorithm())) {
            return Effect.of("BAD_REQUEST");
        }
        return call.apply(key, item == null || item.held == null ? Held.none(take) : item.held.at(clock), take);
    }

    private void writeHeld(long index, String key, Held held) {
        Item item = Item.of(held, clock);
        write(index, key, item.deadline > clock ? item : null);
    }

    /** What its holder has left of a share, as of the last entry; 0 if there is none or it has ended. */
    long shareLeft(String key, String holder) {
        return sharesOf(key, holder).mapToLong(Held.Hold::left).sum();
    }

    /** When its holder's last share ends; 0 if there is none. */
    long shareEnd(String key, String holder) {
        return sharesOf(key, holder).mapToLong(Held.Hold::end).max().orElse(0);
    }

    private Stream<Held.Hold> sharesOf(String key, String holder) {
        Item item = find(key);
        return item == null || item.held == null
                ? Stream.empty()
                : item.held.at(clock).holds().stream()
                        .filter(hold -> hold.share() && hold.id().equals(holder));
    }

    /** Whether something that was held of it has ended since it was written. */
    private boolean hasEnded(String key) {
        Item item = find(key);
        return item != null && item.held != null && item.held.holds().stream().anyMatch(hold -> hold.end() <= clock);
    }

    /** Keys of which something may be held. */
    private static boolean isOfHeld(String key) {
        return key.charAt(key.indexOf(':') + 1) == 'q';
    }

    private Effect take(long index, TakeCommand command) {
        String key = text(command.getKey());
        if (isOfHeld(key)) {
            return onHeld(command, (name, held, take) -> {
                boolean allowed = held.allows(clock, take.getCost());
                Held after = allowed ? held.afterUse(clock, take.getCost()) : held;
                if (allowed || hasEnded(name)) {
                    writeHeld(index, name, after);
                }
                return new Effect("APPLIED", null, after.words(allowed, clock));
            });
        }
        Item item = find(key);
        if (item != null && (item.taken == null || item.taken.algorithm() != command.getAlgorithm())) {
            return Effect.of("BAD_REQUEST");
        }
        Taken before = item == null || item.taken == null ? Taken.none(command) : item.taken;
        Taken after = before.after(clock, command.getCost());
        if (!after.equals(before)) {
            write(index, key, Item.of(after, clock + after.resetMillis(clock)));
        }
        return new Effect("APPLIED", null, after.words(before, clock, command.getCost()));
    }

    private Effect acquire(long index, AcquireCommand command) {
        String key = text(command.getKey());
        Item item = find(key);
        if (item != null && item.permits == null) {
            return Effect.of("BAD_REQUEST");
        }
        Map<String, Long> held = heldPermits(item);
        String holder = text(command.getHolder());
        long limit = command.getLimit();
        if (!held.containsKey(holder) && held.size() >= limit) {
            List<Long> ends = held.values().stream().sorted().toList();
            long retry = ends.get(held.size() - (int) limit) - clock;
            return new Effect("APPLIED", null, "allowed=0 limit=" + limit + " remaining=0 retry=" + retry);
        }
        String fence = held.containsKey(holder) ? "kept" : "new";
        held.put(holder, clock + command.getTtlMillis());
        write(index, key, Item.of(held, (int) limit));
        long remaining = Math.max(0, limit - held.size());
        String words = "allowed=1 limit=" + limit + " remaining=" + remaining + " retry=0 fence=" + fence;
        return new Effect("APPLIED", null, words);
    }

    private Effect release(long index, ReleaseCommand command) {
        String key = text(command.getKey());
        Item item = find(key);
        if (item != null && item.permits == null) {
            return Effect.of("BAD_REQUEST");
        }
        Map<String, Long> held = heldPermits(item);
        if (held.remove(text(command.getHolder())) != null) {
            write(index, key, held.isEmpty() ? null : Item.of(held, Objects.requireNonNull(item).capacity));
        }
        return Effect.of("APPLIED");
    }

    private Map<String, Long> heldPermits(@Nullable Item item) {
        Map<String, Long> held = new TreeMap<>(item == null || item.permits == null ? Map.of() : item.permits);
        held.values().removeIf(end -> end <= clock);
        return held;
    }

    /** Each sees what those before it would take; but nothing is written before all are known to be admitted. */
    private Effect takeAll(long index, TakeAllCommand command) {
        Map<String, Taken> takes = new HashMap<>();
        List<Runnable> writes = new ArrayList<>();
        List<Boolean> allowed = new ArrayList<>();
        List<Long> retries = new ArrayList<>();
        List<String> words = new ArrayList<>();
        boolean all = true;
        for (TakeCommand take : command.getTakesList()) {
            String key = text(take.getKey());
            Item item = find(key);
            if (item != null && (item.taken == null || item.taken.algorithm() != take.getAlgorithm())) {
                return new Effect("BAD_REQUEST", allowed.size() + 1L, null);
            }
            Taken before = takes.getOrDefault(key, item == null ? null : item.taken);
            before = before == null ? Taken.none(take) : before;
            Taken after = before.after(clock, take.getCost());
            takes.put(key, after);
            if (!after.equals(before)) {
                writes.add(() -> write(index, key, Item.of(after, clock + after.resetMillis(clock))));
            }
            boolean allows = before.allows(clock, take.getCost());
            all &= allows || take.getShadow();
            allowed.add(allows);
            retries.add(before.retry(allows, clock, take.getCost()));
            words.add(after.words(before, clock, take.getCost()));
        }
        if (all) {
            writes.forEach(Runnable::run);
            return new Effect("APPLIED", null, String.join(";", words));
        }
        for (int i = 0; i < words.size(); i++) {
            Item item = find(text(command.getTakes(i).getKey()));
            Taken untouched = item == null || item.taken == null ? Taken.none(command.getTakes(i)) : item.taken;
            words.set(i, untouched.words(allowed.get(i), retries.get(i), clock, 0));
        }
        return new Effect("APPLIED", null, String.join(";", words));
    }

    private boolean chunk(long origin, ValueChunk chunk) {
        String id = origin + "/" + chunk.getUpload();
        Upload before = uploads.remove(id);
        if (before == null && chunk.getOffset() == 0 && format >= Formats.BOUNDS) {
            List<String> own = uploads.keySet().stream()
                    .filter(other -> other.startsWith(origin + "/"))
                    .sorted(Comparator.comparing(other -> Long.parseLong(other.substring(other.indexOf('/') + 1))))
                    .toList();
            own.stream().limit(Math.max(0, own.size() - 1)).forEach(uploads::remove);
        }
        ByteArrayOutputStream bytes = before == null ? new ByteArrayOutputStream() : before.bytes;
        if (chunk.getOffset() != bytes.size() || bytes.size() + chunk.getData().size() > chunk.getValueLength()) {
            return false;
        }
        bytes.writeBytes(chunk.getData().toByteArray());
        uploads.put(id, new Upload(before == null ? chunk.getValueLength() : before.length, bytes, clock));
        return true;
    }

    private @Nullable String published(long origin, SetChunkedCommand command) {
        Upload upload = uploads.remove(origin + "/" + command.getUpload());
        return upload != null && upload.length == command.getValueLength() && upload.bytes.size() == upload.length
                ? upload.bytes.toString(StandardCharsets.ISO_8859_1)
                : null;
    }

    private @Nullable Item find(String key) {
        Item last = at(Long.MAX_VALUE, key);
        return last == null || last.isExpiredAt(clock) ? null : last;
    }

    private void write(long index, String key, @Nullable Item item) {
        versions.put(key, ++lastVersion);
        keep(index, key, item);
    }

    private void keep(long index, String key, @Nullable Item item) {
        history.computeIfAbsent(key, k -> new TreeMap<>()).put(index, Optional.ofNullable(item));
    }

    /** What the key holds after that entry, expired or not; null for nothing. */
    @Nullable
    Item at(long index, String key) {
        TreeMap<Long, Optional<Item>> versions = history.get(key);
        Map.Entry<Long, Optional<Item>> version = versions == null ? null : versions.floorEntry(index);
        return version == null ? null : version.getValue().orElse(null);
    }

    /** The index of the entry that wrote what the key holds after that entry; 0 for none. */
    long writtenAt(long index, String key) {
        TreeMap<Long, Optional<Item>> versions = history.get(key);
        Long written = versions == null ? null : versions.floorKey(index);
        return written == null ? 0 : written;
    }

    static String regionOf(String key) {
        int colon = key.indexOf(':');
        return colon < 0 ? "" : key.substring(0, colon);
    }

    static String text(com.google.protobuf.ByteString bytes) {
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    private static Item plain(String value, long deadline) {
        return new Item(value, null, 0, 0, 0, deadline);
    }

    private long deadline(long ttl) {
        return ttl == 0 ? 0 : clock + ttl;
    }
}
