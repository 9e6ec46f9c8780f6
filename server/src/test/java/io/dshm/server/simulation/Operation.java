package io.dshm.server.simulation;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitRegionCommand;
import io.dshm.proto.wire.TakeCommand;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One write of a client's, and what is known of it. */
final class Operation {

    /** A connection: its commands take effect in their order. */
    static final class Connection {
        long lastEffective = -1;
    }

    final long number;
    final Connection connection;
    final SimulatedNode node;

    /** A client's; null for an operator's. */
    final Command.@Nullable Write command;

    /** What an operator asks for; null for a client's command. */
    private final @Nullable CommandRecord forOperator;

    /** Everything up to this index was acknowledged to somebody before this command was submitted. */
    final long acknowledgedBefore;

    /** The index at which it took effect, 0 as long as it has not. */
    long effectIndex;

    Reference.@Nullable Effect effect;

    @Nullable
    Reply reply;

    Operation(long number, Connection connection, SimulatedNode node, Command.Write command, long acknowledgedBefore) {
        this(number, connection, node, command, null, acknowledgedBefore);
    }

    /** What an operator asks for, without a connection. */
    Operation(SimulatedNode node, CommandRecord forOperator, long acknowledgedBefore) {
        this(0, new Connection(), node, null, forOperator, acknowledgedBefore);
    }

    private Operation(
            long number,
            Connection connection,
            SimulatedNode node,
            Command.@Nullable Write command,
            @Nullable CommandRecord forOperator,
            long acknowledgedBefore) {
        this.number = number;
        this.connection = connection;
        this.node = node;
        this.command = command;
        this.forOperator = forOperator;
        this.acknowledgedBefore = acknowledgedBefore;
    }

    boolean isForOperator() {
        return forOperator != null;
    }

    boolean isLarge() {
        return command instanceof Command.Set set && set.value().length > Limits.INLINE_VALUE_BYTES_MAX;
    }

    /** Its reply in words. */
    String answer() {
        return reply == null ? "none" : Checks.describe(reply);
    }

    /** The command in words, the same for a client's and for a record. */
    String description() {
        if (forOperator != null) {
            return description(forOperator, null);
        }
        if (command instanceof Command.Set set) {
            return "SET " + set.key() + " " + set.ttlMillis() + " " + abbreviated(text(set.value()));
        }
        if (command instanceof Command.Incr incr) {
            return "INCR " + incr.key() + " " + incr.by() + " " + incr.init() + " " + incr.initTtlMillis();
        }
        if (command instanceof Command.RateLimiter limiter) {
            return "RATE_LIMITER " + limiter.key() + " " + limiter.capacity() + " " + limiter.durationMillis();
        }
        if (command instanceof Command.Take take) {
            return description(take);
        }
        if (command instanceof Command.Reserve reserve) {
            return "RESERVE " + description(reserve.take()) + " " + reserve.hold() + " " + reserve.ttlMillis();
        }
        if (command instanceof Command.Settle settle) {
            return "SETTLE " + settle.key() + " " + settle.hold() + " " + settle.cost();
        }
        if (command instanceof Command.Grant grant) {
            return "GRANT " + description(grant.take()) + " " + grant.holder() + " " + grant.min();
        }
        if (command instanceof Command.Return giveBack) {
            return "RETURN " + giveBack.key() + " " + giveBack.holder() + " " + giveBack.unused();
        }
        if (command instanceof Command.Acquire acquire) {
            return "ACQUIRE " + acquire.key() + " " + acquire.limit() + " " + acquire.holder() + " "
                    + acquire.ttlMillis();
        }
        if (command instanceof Command.Release release) {
            return "RELEASE " + release.key() + " " + release.holder();
        }
        if (command instanceof Command.TakeAll all) {
            return all.takes().stream().map(Operation::description).collect(Collectors.joining(", ", "ALL ", ""));
        }
        if (command instanceof Command.Touch touch) {
            return "TOUCH " + touch.key() + " " + touch.ttlMillis();
        }
        if (command instanceof Command.FlushAll flush) {
            return "FLUSHALL " + text(flush.region());
        }
        return "DELETE " + Objects.requireNonNull((Command.Delete) command).key();
    }

    private static String description(LimitRegionCommand limit) {
        return "LIMIT " + Reference.text(limit.getRegion()) + " " + limit.getBytesMax() + " " + limit.getWhenFull();
    }

    private static String description(Command.Take take) {
        Policy policy = Objects.requireNonNull(take.policy());
        return "TAKE " + take.key() + " " + policy.algorithm() + " " + policy.limit() + " " + policy.periodMillis()
                + " " + policy.burst() + " " + take.cost() + " " + take.shadow();
    }

    private static String description(TakeCommand take) {
        return "TAKE " + Reference.text(take.getKey()) + " " + take.getAlgorithm() + " " + take.getLimit() + " "
                + take.getPeriodMillis() + " " + take.getBurst() + " " + take.getCost() + " " + take.getShadow();
    }

    /** The same of a record; a chunked SET's value is what was published. */
    static String description(io.dshm.proto.wire.CommandRecord record, @Nullable String published) {
        return switch (record.getCommandCase()) {
            case SET ->
                "SET " + Reference.text(record.getSet().getKey()) + " "
                        + record.getSet().getTtlMillis() + " "
                        + abbreviated(Reference.text(record.getSet().getValue()));
            case SET_CHUNKED ->
                "SET " + Reference.text(record.getSetChunked().getKey()) + " "
                        + record.getSetChunked().getTtlMillis() + " " + abbreviated(published == null ? "" : published);
            case INCR ->
                "INCR " + Reference.text(record.getIncr().getKey()) + " "
                        + record.getIncr().getBy() + " " + record.getIncr().getInit() + " "
                        + record.getIncr().getInitTtlMillis();
            case RATE_LIMITER ->
                "RATE_LIMITER " + Reference.text(record.getRateLimiter().getKey()) + " "
                        + record.getRateLimiter().getCapacity() + " "
                        + record.getRateLimiter().getDurationMillis();
            case TOUCH ->
                "TOUCH " + Reference.text(record.getTouch().getKey()) + " "
                        + record.getTouch().getTtlMillis();
            case TAKE -> description(record.getTake());
            case RESERVE ->
                "RESERVE " + description(record.getReserve().getTake()) + " "
                        + Reference.text(record.getReserve().getHold()) + " "
                        + record.getReserve().getTtlMillis();
            case SETTLE ->
                "SETTLE " + Reference.text(record.getSettle().getKey()) + " "
                        + Reference.text(record.getSettle().getHold()) + " "
                        + record.getSettle().getCost();
            case GRANT ->
                "GRANT " + description(record.getGrant().getTake()) + " "
                        + Reference.text(record.getGrant().getHolder()) + " "
                        + record.getGrant().getMin();
            case GIVE_BACK ->
                "RETURN " + Reference.text(record.getGiveBack().getKey()) + " "
                        + Reference.text(record.getGiveBack().getHolder()) + " "
                        + record.getGiveBack().getUnused();
            case ACQUIRE ->
                "ACQUIRE " + Reference.text(record.getAcquire().getKey()) + " "
                        + record.getAcquire().getLimit() + " "
                        + Reference.text(record.getAcquire().getHolder()) + " "
                        + record.getAcquire().getTtlMillis();
            case RELEASE ->
                "RELEASE " + Reference.text(record.getRelease().getKey()) + " "
                        + Reference.text(record.getRelease().getHolder());
            case TAKE_ALL ->
                record.getTakeAll().getTakesList().stream()
                        .map(Operation::description)
                        .collect(Collectors.joining(", ", "ALL ", ""));
            case FLUSH_ALL -> "FLUSHALL " + Reference.text(record.getFlushAll().getRegion());
            case DELETE -> "DELETE " + Reference.text(record.getDelete().getKey());
            case LIMIT_REGION -> description(record.getLimitRegion());
            case CHANGE_USERS ->
                record.getChangeUsers().getAction() + " "
                        + record.getChangeUsers().getName() + " "
                        + record.getChangeUsers().getRightsList().stream()
                                .map(right -> right.getKind() + ":" + Reference.text(right.getPattern()))
                                .toList();
            case CHUNK,
                    PUT,
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
                    COMMAND_NOT_SET -> record.getCommandCase().toString();
        };
    }

    private static String abbreviated(String value) {
        return value.length() < 40
                ? value
                : value.substring(0, 20) + "... (" + value.length() + " bytes, " + value.hashCode() + ")";
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** The keys it writes; none for a whole region. */
    List<Key> keys() {
        if (command instanceof Command.TakeAll all) {
            return all.takes().stream().map(Command.Take::key).toList();
        }
        Key key = key();
        return key == null ? List.of() : List.of(key);
    }

    /** The only key it writes; null if there is no such one. */
    @Nullable
    Key key() {
        return command instanceof Command.KeyWrite one ? one.key() : null;
    }

    @Override
    public String toString() {
        return "#" + number + " " + description() + " at " + node.name();
    }
}
