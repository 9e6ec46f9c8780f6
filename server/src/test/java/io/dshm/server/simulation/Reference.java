package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.ReleaseCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.proto.wire.ValueChunk;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the committed log means, written as plainly as possible: maps, lists and strings, nothing ever forgotten. It
 * keeps every version of every key, so that a read on a node that lags behind can be judged.
 */
final class Reference {

    private static final long UPLOAD_MILLIS = 60_000;
    private static final int LONG_VALUE_BYTES = 4096;

    /** What a command brings about: one of the state machine's kinds, and a number or a value for the reply. */
    record Effect(
            String kind, @Nullable Long number, @Nullable String value) {

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
            @Nullable Map<String, Long> permits) {

        Item(String value, @Nullable List<Long> grants, int capacity, long duration, long keep, long deadline) {
            this(value, grants, capacity, duration, keep, deadline, null, null);
        }

        static Item of(Taken taken, long deadline) {
            return new Item("", null, 0, 0, 0, deadline, taken, null);
        }

        /** Permits: of each its holder and its end. */
        static Item of(Map<String, Long> permits, int limit) {
            return new Item("", null, limit, 0, 0, Collections.max(permits.values()), null, permits);
        }

        boolean isLimiter() {
            return grants != null || taken != null || permits != null;
        }

        boolean isExpiredAt(long clock) {
            return deadline != 0 && deadline <= clock;
        }

        long leftAt(long clock) {
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

    /** Told when a command takes effect for the first time. */
    interface Listener {
        void onFirst(CommandRecord record, long index, Effect effect, @Nullable String publishedValue);
    }

    private record Registration(long folder, long start, List<Long> origins) {}

    private record Upload(int length, ByteArrayOutputStream bytes, long touched) {}

    private final Listener listener;
    private final Map<String, TreeMap<Long, Optional<Item>>> history = new HashMap<>();
    private final Map<String, Registration> nodes = new HashMap<>();
    private final Map<Long, Map<Long, Effect>> effects = new HashMap<>();
    private final Map<Long, Long> settled = new HashMap<>();
    private final Map<String, Upload> uploads = new HashMap<>();
    private final Map<Long, Boolean> waiting = new HashMap<>();
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
        known.put(record.getSequence(), effect);
        listener.onFirst(record, index, effect, published);
        return effect;
    }

    private Effect register(RegisterNode command) {
        Registration before = nodes.get(command.getNode());
        if (before != null) {
            boolean late = before.folder == command.getFolder() && before.start > command.getStart();
            if (late || before.origins.equals(command.getOriginsList())) {
                return Effect.of(late && format >= Formats.BOUNDS ? "EXISTS" : "APPLIED");
            }
            for (long origin : before.origins) {
                effects.remove(origin);
                settled.remove(origin);
                uploads.keySet().removeIf(id -> id.startsWith(origin + "/"));
            }
        }
        nodes.put(
                command.getNode(),
                new Registration(command.getFolder(), command.getStart(), List.copyOf(command.getOriginsList())));
        for (long origin : command.getOriginsList()) {
            effects.put(origin, new HashMap<>());
        }
        return Effect.of("APPLIED");
    }

    private Effect apply(long index, CommandRecord record, @Nullable String published) {
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
            case ACQUIRE -> acquire(index, record.getAcquire());
            case RELEASE -> release(index, record.getRelease());
            case TAKE_ALL -> takeAll(index, record.getTakeAll());
            case FLUSH_ALL -> {
                String region = text(record.getFlushAll().getRegion());
                List.copyOf(history.keySet()).stream()
                        .filter(key -> regionOf(key).equals(region))
                        .forEach(key -> write(index, key, null));
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
                    REFUSED,
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

    private Effect take(long index, TakeCommand command) {
        String key = text(command.getKey());
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
        Map<String, Taken> takes = new LinkedHashMap<>();
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
            boolean allows = before.allows(clock, take.getCost());
            all &= allows || take.getShadow();
            allowed.add(allows);
            retries.add(before.retry(allows, clock, take.getCost()));
            words.add(after.words(before, clock, take.getCost()));
        }
        if (all) {
            takes.forEach((key, after) -> write(index, key, Item.of(after, clock + after.resetMillis(clock))));
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
