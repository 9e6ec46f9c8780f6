package io.dshm.server.simulation;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.server.shares.Share;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateView;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.Permit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Everything that must hold, at every step. */
final class Checks {

    /** Only entries at every so many indexes have their state compared by digest; contents are, after each. */
    private static final int DIGEST_EVERY = 16;

    private final Trace trace;
    private final Fences fences = new Fences();
    private final Spends spends = new Spends();
    private final Reference reference = new Reference(this::onFirst);

    private final Map<Long, List<Reference.Effect>> effects = new HashMap<>();
    private final Map<Long, Long> digests = new HashMap<>();

    /** The writes that each origin has taken, in the order of their numbers. */
    private final Map<Long, List<Operation>> taken = new HashMap<>();

    private final Map<String, Operation> large = new HashMap<>();
    private final Map<String, List<Long>> grants = new HashMap<>();

    /** By key: when each duration was first named. */
    private final Map<String, NavigableMap<Long, Long>> windows = new HashMap<>();

    private final ClusterTime time;

    /** Whether something waited for time to pass after the last entry of clients. */
    private boolean timeAwaited;

    private long acknowledgedIndex;

    /** The last index that a linearizable read has shown. */
    private long readIndex;

    private int open;
    private int answered;

    Checks(Trace trace, boolean slewed) {
        this.trace = trace;
        this.time = new ClusterTime(slewed);
    }

    Reference reference() {
        return reference;
    }

    Spends spends() {
        return spends;
    }

    /** A holder of that share has spent so many tokens of it. */
    void onSpent(Key key, Share share, long cost) {
        trace.note("%s of %s spent from %s", cost, key, share.holder());
        spends.onSpent(key.toString(), share.holder().toString(), cost, reference);
    }

    ClusterTime time() {
        return time;
    }

    @FormatMethod
    static void require(boolean condition, @FormatString String format, @Nullable Object... arguments) {
        if (!condition) {
            throw new Violation(String.format(format, arguments));
        }
    }

    // Clients.

    long acknowledgedIndex() {
        return acknowledgedIndex;
    }

    int openOperations() {
        return open;
    }

    int answeredOperations() {
        return answered;
    }

    /** A lane has taken this write, and gives it the next number of that origin. */
    void onSubmit(Operation operation, long origin) {
        trace.note("%s", operation);
        open += operation.isForOperator() ? 0 : 1;
        if (operation.isLarge()) {
            Command.Set set = (Command.Set) Objects.requireNonNull(operation.command);
            large.put(Operation.text(set.value()).substring(0, 12), operation);
        } else {
            taken.computeIfAbsent(origin, o -> new ArrayList<>()).add(operation);
        }
    }

    /** It was refused on the spot, and has no number. */
    void onRefused(Operation operation, long origin) {
        List<Operation> operations = taken.get(origin);
        if (operations != null && !operation.isLarge()) {
            require(operations.remove(operations.size() - 1) == operation, "%s was not the last one", operation);
        }
    }

    /** A planted bug sends a command again under another number. */
    void onRenumbered(long origin, long sequence, long newOrigin, long newSequence) {
        List<Operation> others = taken.computeIfAbsent(newOrigin, o -> new ArrayList<>());
        require(others.size() == newSequence - 1, "numbers are given in their order");
        others.add(taken.getOrDefault(origin, List.of()).get((int) sequence - 1));
    }

    void onConnectionLost() {
        open--;
    }

    void onReply(Operation operation, Reply reply) {
        trace.note("%s -> %s", operation, describe(reply));
        require(operation.reply == null, "%s is answered twice", operation);
        operation.reply = reply;
        if (!operation.isForOperator()) {
            open--;
            answered++;
        }
        if (reply instanceof Reply.Failure failure && failure.code().effect() == ErrorCode.Effect.NEVER) {
            require(operation.effectIndex == 0, "%s has taken effect, but is answered %s", operation, failure.code());
        } else if (!(reply instanceof Reply.Failure failure) || failure.code().effect() == ErrorCode.Effect.NONE) {
            onAcknowledged(operation, reply);
        }
    }

    private void onAcknowledged(Operation operation, Reply reply) {
        Reference.Effect effect = operation.effect;
        if (effect == null) {
            throw new Violation(operation + " is acknowledged, but is not in the committed log");
        }
        acknowledgedIndex = Math.max(acknowledgedIndex, operation.effectIndex);
        NodeReads reads = operation.node.reads();
        if (operation.command instanceof Command.FlushAll flush) {
            reads.onAcknowledged(Operation.text(flush.region()), true, operation.effectIndex);
        }
        operation.keys().forEach(one -> reads.onAcknowledged(one.toString(), false, operation.effectIndex));
        Key key = operation.key();
        if (effect.kind().equals("NO_INTEGER")) {
            // The reply is that of a read, which began when the outcome came.
            operation.node.reads().onRead(Objects.requireNonNull(key), operation.effectIndex, reply, reference);
            return;
        }
        String expected = switch (effect.kind()) {
            case "APPLIED" -> {
                if (effect.number() != null) {
                    yield effect.number().toString();
                }
                if (operation.command instanceof Command.TakeAll all) {
                    yield inReply(all, Objects.requireNonNull(effect.value()));
                }
                if (effect.value() != null) {
                    yield effect.value();
                }
                yield operation.command instanceof Command.Set set ? Operation.text(set.value()) : "DONE";
            }
            default -> effect.kind();
        };
        require(
                Fences.areSame(expected, describe(reply)),
                "%s is answered %s, but its effect was %s",
                operation,
                describe(reply),
                expected);
    }

    /** What the reply to these says, whose decisions stand in these words. */
    private static String inReply(Command.TakeAll all, String decisions) {
        List<String> refused = new ArrayList<>();
        StringBuilder replies = new StringBuilder();
        String[] each = decisions.split(";", -1);
        for (int i = 0; i < each.length; i++) {
            boolean shadow = all.takes().get(i).shadow();
            boolean allowed = each[i].startsWith("allowed=1");
            if (!allowed && !shadow) {
                refused.add(Integer.toString(i + 1));
            }
            String words = shadow ? each[i].replace("allowed=0", "allowed=1") + " would=" + (allowed ? 1 : 0) : each[i];
            replies.append("DONE ").append(words).append("\r\n");
        }
        return replies + (refused.isEmpty() ? "allowed=1" : "allowed=0 refused=" + String.join(",", refused));
    }

    static String describe(Reply reply) {
        if (reply instanceof Reply.Value value) {
            return Operation.text(value.bytes());
        }
        if (reply instanceof Reply.IntegerValue number) {
            return Long.toString(number.number());
        }
        if (reply instanceof Reply.Detailed detailed) {
            byte[] value = detailed.value();
            return value == null ? detailed.details() : Operation.text(value) + detailed.details();
        }
        return reply instanceof Reply.Failure failure ? failure.code().name() : "DONE";
    }

    // The log.

    void onCommitted(long index, byte[] data, long term, long stampedMillis) {
        LogEntry entry = parse(data);
        trace.note("committed %d: %d records, stamp %d", index, entry.getRecordsCount(), entry.getStampMillis());
        effects.put(index, reference.apply(index, entry));
        time.onStamp(reference.clock(), term, stampedMillis, timeAwaited);
        timeAwaited = reference.waitsForTime(index);
    }

    private void onFirst(CommandRecord record, long index, Reference.Effect effect, @Nullable String published) {
        if (record.hasChunk()) {
            return;
        }
        Operation operation = operationOf(record, published);
        if (record.hasRefused()) {
            // Of pieces of values, too.
            require(operation == null || operation.effectIndex == 0, "%s is refused after it took effect", operation);
            return;
        }
        if (operation == null) {
            require(record.hasSetChunked() && published == null, "nobody asked for %s", record);
            return;
        }
        String description = Operation.description(record, published);
        require(description.equals(operation.description()), "the log says %s, not %s", description, operation);
        require(operation.effectIndex == 0, "%s takes effect again at index %d", operation, index);
        require(
                operation.reply == null
                        || !(operation.reply instanceof Reply.Failure failure)
                        || failure.code().effect() != ErrorCode.Effect.NEVER,
                "%s takes effect at index %d, after the answer %s",
                operation,
                index,
                operation.answer());
        require(
                index > operation.acknowledgedBefore,
                "%s takes effect at index %d, before what was acknowledged before it",
                operation,
                index);
        require(
                operation.number > operation.connection.lastEffective,
                "%s takes effect at index %d, after later commands of its connection",
                operation,
                index);
        operation.connection.lastEffective = operation.number;
        operation.effectIndex = index;
        operation.effect = effect;
        countGrant(record, effect);
        if (record.hasGrant()) {
            spends.onGrant(record.getGrant(), reference);
        } else if (record.hasGiveBack()) {
            spends.onReturn(record.getGiveBack(), reference);
        }
    }

    private @Nullable Operation operationOf(CommandRecord record, @Nullable String published) {
        if (record.hasSetChunked()) {
            return published == null || published.length() < 12 ? null : large.get(published.substring(0, 12));
        }
        List<Operation> operations = taken.getOrDefault(record.getOrigin(), List.of());
        return record.getSequence() > operations.size() ? null : operations.get((int) record.getSequence() - 1);
    }

    /**
     * At most the capacity in any window that ends with a grant; counted from where so long a window was first named in this
     * life of the key, and not in the format where a shorter one took grants from it. The key's life ends when it is
     * removed, replaced, or expires.
     */
    private void countGrant(CommandRecord record, Reference.Effect effect) {
        if (record.hasRateLimiter()) {
            boolean isRefusal = record.getRateLimiter().getCapacity() == 0;
            if (effect.number() == null || isRefusal || reference.format() < Formats.BOUNDS) {
                return;
            }
            String key = Reference.text(record.getRateLimiter().getKey());
            long clock = reference.clock();
            long duration = record.getRateLimiter().getDurationMillis();
            if (hasExpired(key, clock)) {
                forgetGrants(key::equals);
            }
            NavigableMap<Long, Long> named = windows.computeIfAbsent(key, k -> new TreeMap<>());
            named.putIfAbsent(duration, clock);
            long since = Collections.min(named.tailMap(duration, true).values());
            List<Long> instants = grants.computeIfAbsent(key, k -> new ArrayList<>());
            if (effect.number() >= 0) {
                instants.add(clock);
                long inWindow = instants.stream()
                        .filter(t -> t >= since && clock - t < duration)
                        .count();
                require(
                        inWindow <= record.getRateLimiter().getCapacity(),
                        "%d grants of %s in one window",
                        inWindow,
                        key);
            }
        } else if (record.hasDelete()) {
            forgetGrants(key -> key.equals(Reference.text(record.getDelete().getKey())));
        } else if (record.hasSet()) {
            forgetGrants(key -> key.equals(Reference.text(record.getSet().getKey())));
        } else if (record.hasSetChunked()) {
            forgetGrants(key -> key.equals(Reference.text(record.getSetChunked().getKey())));
        } else if (record.hasFlushAll()) {
            String region = Reference.text(record.getFlushAll().getRegion());
            forgetGrants(key -> Reference.regionOf(key).equals(region));
        }
    }

    /** Whether a limiter's last grant is as old as the longest window that its calls have named, or older. */
    private boolean hasExpired(String key, long clock) {
        List<Long> instants = grants.getOrDefault(key, List.of());
        NavigableMap<Long, Long> named = windows.get(key);
        return named != null && !instants.isEmpty() && clock - instants.get(instants.size() - 1) >= named.lastKey();
    }

    private void forgetGrants(Predicate<String> ofKey) {
        grants.keySet().removeIf(ofKey);
        windows.keySet().removeIf(ofKey);
    }

    static LogEntry parse(byte[] data) {
        try {
            return LogEntry.parseFrom(data);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    // Nodes.

    void onApplied(SimulatedNode node, long index, Outcome[] outcomes, StateMachine stateMachine, boolean mayView) {
        List<Reference.Effect> expected = Objects.requireNonNull(effects.get(index), "applied, but not committed");
        List<Reference.Effect> found = new ArrayList<>();
        for (Outcome outcome : outcomes) {
            byte[] value = outcome.value();
            found.add(new Reference.Effect(
                    outcome.kind().name(),
                    outcome.isNumeric() ? outcome.number() : null,
                    value != null ? Operation.text(value) : words(outcome),
                    outcome.isAfterEviction()));
        }
        require(
                fences.areAsExpected(expected, found, index),
                "%s at index %d: %s, not %s",
                node.name(),
                index,
                found,
                expected);
        node.reads().onClock(stateMachine.clockMillis());
        if (mayView && index % DIGEST_EVERY == 0) {
            onDigest(node, stateMachine);
        }
        node.reads().checkContents(stateMachine, reference);
    }

    private static @Nullable String words(Outcome outcome) {
        Decision decision = outcome.decision();
        if (decision != null) {
            return words(decision);
        }
        io.dshm.server.store.limiters.GrantedShare share = outcome.share();
        if (share != null) {
            return "granted=" + share.granted() + " limit=" + share.limit() + " remaining=" + share.remaining()
                    + " life=" + share.lifeMillis();
        }
        Permit permit = outcome.permit();
        if (permit != null) {
            String words = "allowed=" + (permit.allowed() ? 1 : 0) + " limit=" + permit.limit() + " remaining="
                    + permit.remaining() + " retry=" + permit.retryMillis();
            return permit.allowed() ? words + " fence=" + permit.fence() : words;
        }
        List<Outcome> several = outcome.several();
        return several.isEmpty()
                ? null
                : several.stream()
                        .map(one -> words(Objects.requireNonNull(one.decision())))
                        .collect(Collectors.joining(";"));
    }

    private static String words(Decision decision) {
        String words = "allowed=" + (decision.allowed() ? 1 : 0) + " limit=" + decision.limit() + " remaining="
                + decision.remaining() + " reset=" + decision.resetMillis() + " retry=" + decision.retryMillis();
        return decision.delayMillis() < 0 ? words : words + " delay=" + decision.delayMillis();
    }

    void onDigest(SimulatedNode node, StateMachine stateMachine) {
        StateView.StateDigest digest;
        try (StateView view = stateMachine.view()) {
            digest = view.digest();
        }
        Long known = digests.putIfAbsent(digest.index(), digest.digest());
        require(
                known == null || known == digest.digest(),
                "%s differs from others as of index %d",
                node.name(),
                digest.index());
    }

    boolean needsTime(StateMachine stateMachine) {
        boolean expected = reference.waitsForTime(stateMachine.appliedIndex());
        require(!expected || stateMachine.needsTime(), "deadlines are pending, but the state machine needs no time");
        return expected;
    }

    /** Everything up to this index was shown to somebody: a linearizable read that begins now must not miss it. */
    long shownIndex() {
        return Math.max(acknowledgedIndex, readIndex);
    }

    /** @param shown what the read had to see, an index */
    void onRead(SimulatedNode node, Key key, ReadMode mode, long shown, Reply reply) {
        trace.note("%s GET %s at %s -> %s", mode, key, node.name(), describe(reply));
        if (mode == ReadMode.LINEARIZABLE) {
            readIndex = Math.max(readIndex, node.reads().onLinearizableRead(key, shown, reply, reference));
        } else {
            node.reads().onRead(key, shown, reply, reference);
        }
    }
}
