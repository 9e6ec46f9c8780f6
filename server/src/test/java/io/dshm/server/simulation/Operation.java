package io.dshm.server.simulation;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.LimitRegionCommand;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
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

    /** A client's; null for an operator's limit. */
    final Command.@Nullable Write command;

    private final @Nullable LimitRegionCommand limit;

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

    /** An operator's limit of a region, without a connection. */
    Operation(SimulatedNode node, LimitRegionCommand limit, long acknowledgedBefore) {
        this(0, new Connection(), node, null, limit, acknowledgedBefore);
    }

    private Operation(
            long number,
            Connection connection,
            SimulatedNode node,
            Command.@Nullable Write command,
            @Nullable LimitRegionCommand limit,
            long acknowledgedBefore) {
        this.number = number;
        this.connection = connection;
        this.node = node;
        this.command = command;
        this.limit = limit;
        this.acknowledgedBefore = acknowledgedBefore;
    }

    boolean isLimit() {
        return limit != null;
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
        if (limit != null) {
            return description(limit);
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
            Policy policy = Objects.requireNonNull(take.policy());
            return "TAKE " + take.key() + " " + policy.algorithm() + " " + policy.limit() + " " + policy.periodMillis()
                    + " " + policy.burst() + " " + take.cost();
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
            case TAKE ->
                "TAKE " + Reference.text(record.getTake().getKey()) + " "
                        + record.getTake().getAlgorithm() + " "
                        + record.getTake().getLimit() + " "
                        + record.getTake().getPeriodMillis() + " "
                        + record.getTake().getBurst() + " "
                        + record.getTake().getCost();
            case FLUSH_ALL -> "FLUSHALL " + Reference.text(record.getFlushAll().getRegion());
            case DELETE -> "DELETE " + Reference.text(record.getDelete().getKey());
            case LIMIT_REGION -> description(record.getLimitRegion());
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

    /** The key it writes; null for a whole region. */
    @Nullable
    Key key() {
        if (command instanceof Command.Set set) {
            return set.key();
        }
        if (command instanceof Command.Incr incr) {
            return incr.key();
        }
        if (command instanceof Command.RateLimiter limiter) {
            return limiter.key();
        }
        if (command instanceof Command.Take take) {
            return take.key();
        }
        if (command instanceof Command.Touch touch) {
            return touch.key();
        }
        return command instanceof Command.Delete delete ? delete.key() : null;
    }

    @Override
    public String toString() {
        return "#" + number + " " + description() + " at " + node.name();
    }
}
