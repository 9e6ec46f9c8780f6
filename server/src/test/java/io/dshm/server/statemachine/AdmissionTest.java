package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.sun.management.ThreadMXBean;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.LogTimeCommand;
import io.dshm.proto.wire.PushCommand;
import io.dshm.proto.wire.PutCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WhenFull;
import io.dshm.proto.wire.WriteCondition;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AdmissionTest {

    private static final UnknownFieldSet UNKNOWN = UnknownFieldSet.newBuilder()
            .addField(900, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
            .build();

    private static CommandRecord.Builder numbered(CommandRecord.Builder record) {
        return record.setOrigin(7).setSequence(1);
    }

    private static CommandRecord.Builder burst(LimitAlgorithm algorithm, long burst) {
        CommandRecord.Builder take = Log.take("k", algorithm, 1, 1, 1);
        take.getTakeBuilder().setBurst(burst);
        return take;
    }

    private static CommandRecord.Builder unknownAlgorithm() {
        CommandRecord.Builder take = Log.take("k", LimitAlgorithm.FIXED, 1, 1, 1);
        take.getTakeBuilder().setAlgorithmValue(99);
        return take;
    }

    private static CommandRecord.Builder[] takes(int count) {
        return Stream.generate(() -> Log.take("k", "p", 1)).limit(count).toArray(CommandRecord.Builder[]::new);
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                arguments("a key with a line in it", Log.delete("a b\r\nDELETE x")),
                arguments("a key with a space in it", Log.set("a b", "v", 0)),
                arguments("a key with a control character", Log.push("a\u007f", true, "e")),
                arguments("no key", Log.incr("", 1, 0)),
                arguments("a key that is too long", Log.pop("k".repeat(Limits.LONG_KEY_BYTES_MAX + 1), true)),
                arguments("a key that is too long for its verb", Log.touch("k".repeat(Limits.KEY_BYTES_MAX + 1), 0)),
                arguments("a region with a colon in it", Log.flushAll("a:b")),
                arguments("a region with a line end in it", Log.flushAll("a\n")),
                arguments("a region whose name is too long", Log.flushAll("r".repeat(Limits.KEY_BYTES_MAX + 1))),
                arguments("a value that is too long", Log.set("k", "v".repeat(Limits.INLINE_VALUE_BYTES_MAX + 1), 0)),
                arguments("a string that is too long", Log.put("k", "v".repeat(Limits.INLINE_VALUE_BYTES_MAX + 1), 0)),
                arguments("a negative time to live", Log.set("k", "v", -1)),
                arguments("a time to live beyond all time", Log.expire("k", Limits.TTL_MILLIS_MAX / 500.0)),
                arguments("a negative capacity", Log.rateLimiter("k", -1, 1)),
                arguments("a capacity that is too large", Log.rateLimiter("k", Limits.LIMITER_CAPACITY_MAX + 1, 1)),
                arguments("a negative duration", Log.rateLimiter("k", 1, -1)),
                arguments("a negative limit", Log.take("k", LimitAlgorithm.FIXED, -1, 1000, 1)),
                arguments(
                        "a limit that is too large", Log.take("k", LimitAlgorithm.LOG, Limits.TOKENS_MAX + 1, 1000, 1)),
                arguments("no period", Log.take("k", LimitAlgorithm.GCRA, 1, 0, 1)),
                arguments(
                        "a period that is too long",
                        Log.take("k", LimitAlgorithm.COUNTER, 1, Limits.PERIOD_MILLIS_MAX + 1, 1)),
                arguments("a cost that is too large", Log.take("k", LimitAlgorithm.LEAKY, 1, 1, Limits.TOKENS_MAX + 1)),
                arguments(
                        "a refund that is too large",
                        Log.take("k", LimitAlgorithm.LEAKY, 1, 1, -Limits.TOKENS_MAX - 1)),
                arguments("a burst of what has none", burst(LimitAlgorithm.FIXED, 1)),
                arguments("a burst that is too large", burst(LimitAlgorithm.GCRA, Limits.TOKENS_MAX + 1)),
                arguments("an unknown algorithm", unknownAlgorithm()),
                arguments("a policy without a name", Log.take("k", "", 1)),
                arguments("a policy with a long name", Log.take("k", "p".repeat(Limits.POLICY_NAME_BYTES_MAX + 1), 1)),
                arguments("a policy with a space in its name", Log.take("k", "a b", 1)),
                arguments(
                        "no value",
                        CommandRecord.newBuilder()
                                .setPut(PutCommand.newBuilder().setKey(key()))),
                arguments(
                        "flags of a raw value",
                        Log.put(
                                "k",
                                raw().setFlags(1),
                                0,
                                WriteCondition.newBuilder().build())),
                arguments("a version that cannot be", Log.remove("k", version(0))),
                arguments("a removal of what is absent", Log.remove("k", absent(true))),
                arguments("a condition that denies itself", Log.put("k", raw(), 0, absent(false))),
                arguments(
                        "no element",
                        CommandRecord.newBuilder()
                                .setPush(PushCommand.newBuilder().setKey(key()))),
                arguments("an element that is too long", Log.push("k", true, "e".repeat(Limits.ELEMENT_BYTES_MAX + 1))),
                arguments("a life without a beginning", incrNumberWithTtlOnly()),
                arguments("a refund that is reserved", Log.reserve(Log.take("k", "p", -1), "x", 1)),
                arguments("a reservation for no time", Log.reserve(Log.take("k", "p", 1), "x", 0)),
                arguments("a reservation without a name", Log.reserve(Log.take("k", "p", 1), "", 1)),
                arguments("a shadow that is reserved", Log.reserve(Log.shadow(Log.take("k", "p", 1)), "x", 1)),
                arguments("a cost below nothing", Log.settle("k", "x", -1)),
                arguments("a share of nothing", Log.grant(Log.take("k", "p", 0), "h", 0)),
                arguments("a share of more than is wanted", Log.grant(Log.take("k", "p", 1), "h", 2)),
                arguments("a share for nobody", Log.grant(Log.take("k", "p", 1), "", 1)),
                arguments("a return of less than nothing", Log.giveBack("k", "h", -1)),
                arguments("a return of too much", Log.giveBack("k", "h", Limits.TOKENS_MAX + 1)),
                arguments("a permit for nobody", Log.acquire("k", 1, "", 1)),
                arguments("a holder that is too long", Log.release("k", "h".repeat(Limits.HOLDER_BYTES_MAX + 1))),
                arguments("a permit for no time", Log.acquire("k", 1, "h", 0)),
                arguments("a permit for too long", Log.acquire("k", 1, "h", Limits.PERIOD_MILLIS_MAX + 1)),
                arguments("fewer permits than none", Log.acquire("k", -1, "h", 1)),
                arguments("a TAKE_ALL of nothing", Log.takeAll()),
                arguments("a TAKE_ALL of two regions", Log.takeAll(Log.take("r:a", "p", 1), Log.take("s:a", "p", 1))),
                arguments("a TAKE_ALL with a bad limit", Log.takeAll(Log.take("k", "", 1))),
                arguments("a TAKE_ALL of too many", Log.takeAll(takes(Limits.TAKES_MAX + 1))),
                arguments("a TAKE_ALL in a MULTI", Log.multi(Log.takeAll(Log.take("k", "p", 1)))),
                arguments("a MULTI of nothing", Log.multi()),
                arguments("a MULTI with a time", Log.multi(logTime())),
                arguments("a MULTI in a MULTI", Log.multi(Log.multi(Log.pop("k", true)))),
                arguments("a MULTI that flushes", Log.multi(Log.flushAll("r"))),
                arguments("a MULTI with a piece of a value", Log.multi(Log.chunk(1, 2, 0, "a"))),
                arguments("a MULTI with a bad key", Log.multi(Log.pop("", true))),
                arguments(
                        "a MULTI with an identity within",
                        Log.multi(Log.pop("k", true).setClient(1).setClientSequence(1))),
                arguments("a MULTI that is too large", Log.multi(large(), large())),
                arguments("a piece of nothing", Log.chunk(1, 0, 0, "a")),
                arguments("a piece without bytes", Log.chunk(1, 1, 0, "")),
                arguments("a piece beyond its value", Log.chunk(1, 2, 1, "ab")),
                arguments("a piece before its value", Log.chunk(1, 2, -1, "ab")),
                arguments("a piece of a value that is too long", Log.chunk(1, Limits.VALUE_BYTES_MAX + 1, 0, "a")),
                arguments(
                        "a piece that is too long",
                        Log.chunk(1, Limits.VALUE_BYTES_MAX, 0, "v".repeat(Limits.CHUNK_BYTES + 1))),
                arguments("a publication of nothing", Log.setChunked("k", 1, 0)),
                arguments("a publication of a number", numberInPieces()),
                arguments("a purge of no key", Log.purge("k", "")),
                arguments("a purge that is too large", Log.purge(keys(Limits.PURGE_KEYS_MAX + 1))),
                arguments("no command", CommandRecord.newBuilder()),
                arguments("a switch of the format", Log.switchFormat(2)),
                arguments(
                        "a client's identity for a piece",
                        Log.chunk(1, 1, 0, "a").setClient(1).setClientSequence(1)),
                arguments("half an identity of a client", Log.pop("k", true).setClient(1)),
                arguments(
                        "a client that cannot be",
                        Log.pop("k", true).setClient(-1).setClientSequence(1)),
                arguments(
                        "a client's number that cannot be",
                        Log.pop("k", true).setClient(1).setClientSequence(-1)),
                arguments("an unknown field", Log.pop("k", true).setUnknownFields(UNKNOWN)),
                arguments("an unknown field within", unknownWithin()),
                arguments("a time with an identity", logTime()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void what_no_client_can_send_is_refused(String what, CommandRecord.Builder record) {
        assertFalse(Admission.admits(numbered(record).build()), what);
    }

    static Stream<Arguments> refusedIdentities() {
        return Stream.of(
                arguments("no origin", Log.pop("k", true).setSequence(1)),
                arguments("number 0", Log.pop("k", true).setOrigin(7)),
                arguments("a negative number", Log.pop("k", true).setOrigin(7).setSequence(-1)),
                arguments(
                        "a number at the end of all",
                        Log.pop("k", true).setOrigin(7).setSequence(Long.MAX_VALUE)),
                arguments("a node without a name", Log.register("", 1, 1, 7).setSequence(1)),
                arguments(
                        "a name that is too long",
                        Log.register("n".repeat(256), 1, 1, 7).setSequence(1)),
                arguments("no origins", Log.register("n", 1, 1).setSequence(1)),
                arguments(
                        "an origin that is none", Log.register("n", 1, 1, 7, 0).setSequence(1)),
                arguments("an origin twice", Log.register("n", 1, 1, 7, 7).setSequence(1)),
                arguments(
                        "too many origins",
                        Log.register("n", 1, 1, new Random(1).longs(66).toArray())
                                .setSequence(1)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refusedIdentities")
    void who_cannot_be_is_refused(String what, CommandRecord.Builder record) {
        assertFalse(Admission.admits(record.build()), what);
    }

    @Test
    void a_refusal_is_an_exception_that_names_the_command() {
        CommandRecord record = numbered(Log.pop("a b", true)).build();
        assertEquals(
                "a command that no node may propose: POP",
                assertThrows(IllegalArgumentException.class, () -> Admission.require(record))
                        .getMessage());
    }

    /** It is asked for every command on each node that it comes through. */
    @Test
    void to_admit_a_command_allocates_nothing() throws InvalidProtocolBufferException {
        CommandRecord record = CommandRecord.parseFrom(
                Log.incr("key", 1, 0).setOrigin(7).setSequence(1).build().toByteArray());
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        // Once, so that classes are there.
        assertTrue(Admission.admits(record));
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1_000; i++) {
            assertTrue(Admission.admits(record));
        }
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < 16_000, bytes + " bytes for 1000 commands");
    }

    @Test
    void what_a_store_holds_may_be_purged_whatever_its_key_is() {
        assertTrue(Admission.admits(numbered(Log.purge("a b\r\n")).build()));
    }

    private static ByteString key() {
        return ByteString.copyFromUtf8("k");
    }

    private static TypedValue.Builder raw() {
        return TypedValue.newBuilder().setRaw(key());
    }

    private static WriteCondition version(long version) {
        return WriteCondition.newBuilder().setVersion(version).build();
    }

    private static WriteCondition absent(boolean absent) {
        return WriteCondition.newBuilder().setAbsent(absent).build();
    }

    private static CommandRecord.Builder logTime() {
        return CommandRecord.newBuilder().setLogTime(LogTimeCommand.getDefaultInstance());
    }

    private static CommandRecord.Builder large() {
        return Log.set("k", "v".repeat(Limits.MULTI_BYTES_MAX / 2 + 64), 0);
    }

    private static CommandRecord.Builder incrNumberWithTtlOnly() {
        CommandRecord.Builder record = Log.incrNumber("k", 1);
        record.getIncrNumberBuilder().setInitTtlMillis(1);
        return record;
    }

    private static CommandRecord.Builder numberInPieces() {
        CommandRecord.Builder record = Log.putChunked("k", 1, 1, WriteCondition.getDefaultInstance());
        record.getPutChunkedBuilder()
                .getPutBuilder()
                .setValue(TypedValue.newBuilder().setNumber(1));
        return record;
    }

    private static String[] keys(int count) {
        return Stream.generate(() -> "k").limit(count).toArray(String[]::new);
    }

    private static CommandRecord.Builder unknownWithin() {
        CommandRecord.Builder record = Log.put("k", 1.5, 0);
        record.getPutBuilder().getValueBuilder().setUnknownFields(UNKNOWN);
        return record;
    }

    /** Records of all kinds, many of them hostile: what is admitted is applied, whatever state it meets. */
    static final class Hostile {

        private static final List<String> KEYS =
                List.of("a", "b", "r:c", "d", "e", "f", "", "a b", "k".repeat(Limits.LONG_KEY_BYTES_MAX + 1));
        private static final List<Long> NUMBERS = List.of(
                0L,
                1L,
                2L,
                5L,
                1000L,
                -1L,
                Long.MAX_VALUE,
                Long.MIN_VALUE,
                Limits.TTL_MILLIS_MAX,
                Limits.TTL_MILLIS_MAX + 1,
                (long) Integer.MAX_VALUE,
                Limits.LIMITER_CAPACITY_MAX + 0L);
        private static final List<Double> DOUBLES = List.of(
                0.0,
                1.0,
                -1.5,
                1e308,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Double.longBitsToDouble(0xFFF8000000000123L));

        private final Random random;

        Hostile(Random random) {
            this.random = random;
        }

        CommandRecord record(long nextSequence) throws InvalidProtocolBufferException {
            CommandRecord.Builder record = command(true).setOrigin(number(40, Log.ORIGIN));
            record.setSequence(number(40, nextSequence));
            if (random.nextInt(8) == 0) {
                record.setClient(random.nextInt(3)).setClientSequence(number(4, random.nextInt(2000)));
            }
            if (record.hasRegisterNode() || record.hasLogTime()) {
                record.setOrigin(0);
            }
            // Registrations that clash are no matter of admission: whether they do depends on the state.
            boolean whole = record.hasRegisterNode() || random.nextInt(10) > 0;
            return whole ? record.build() : damaged(record.build());
        }

        /** A number that is hostile once in so many times. */
        private long number(int oneIn, long usual) {
            return random.nextInt(oneIn) == 0 ? one(NUMBERS) : usual;
        }

        private CommandRecord damaged(CommandRecord record) throws InvalidProtocolBufferException {
            byte[] bytes = record.toByteArray();
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                return CommandRecord.parseFrom(bytes);
            } catch (InvalidProtocolBufferException e) {
                return record; // what cannot be decoded does not come in
            }
        }

        private CommandRecord.Builder command(boolean outer) {
            String key = one(KEYS);
            double seconds = random.nextInt(10) == 0 ? one(NUMBERS) / 1000.0 : random.nextInt(3);
            boolean left = random.nextBoolean();
            return switch (random.nextInt(outer ? 29 : 13)) {
                case 0 -> Log.set(key, text(), seconds);
                case 1 -> Log.touch(key, seconds);
                case 2 -> Log.delete(key);
                case 3 -> Log.incr(key, number(3, 1), number(3, 1));
                case 4, 5 -> Log.rateLimiter(key, number(2, 3), seconds);
                case 6 -> Log.put(key, value(), seconds, condition());
                case 7 -> Log.remove(key, condition());
                case 8 -> Log.expire(key, seconds);
                case 9 ->
                    random.nextBoolean()
                            ? Log.incrNumber(key, one(DOUBLES))
                            : Log.incrNumber(key, one(DOUBLES), one(DOUBLES), seconds);
                case 10 -> left ? Log.push(key, random.nextBoolean(), text()) : Log.push(key, left, one(DOUBLES));
                case 11 -> Log.pop(key, left);
                case 12 -> take(key);
                case 21 -> takeAll(key);
                case 24 -> Log.reserve(take(key), one(List.of("h", "", "i")), number(3, 1000));
                case 25 -> Log.settle(key, one(List.of("h", "", "i")), number(3, 5));
                case 26 -> Log.grant(take(key), one(List.of("h", "", "i")), number(3, 1));
                case 27 -> Log.giveBack(key, one(List.of("h", "", "i")), number(3, 1));
                case 28 -> changeUsers();
                case 22 -> Log.acquire(key, number(3, 2), one(List.of("h", "", "i")), number(3, 1000));
                case 23 -> Log.release(key, one(List.of("h", "", "a b")));
                case 20 ->
                    left
                            ? Log.flushAll(one(List.of("", "r", "a:b", "a b")))
                            : Log.limitRegion(
                                    one(List.of("", "r", "q", "a:b")),
                                    number(3, random.nextInt(20_000)),
                                    one(List.of(WhenFull.EVICT, WhenFull.REFUSE, WhenFull.AS_REGION)));
                case 13, 14 -> Log.chunk(random.nextInt(2), length(), length(), text());
                case 15 -> Log.setChunked(key, random.nextInt(2), length());
                case 16 -> Log.putChunked(key, random.nextInt(2), length(), condition());
                case 17 -> Log.purge(key, one(KEYS));
                case 18 ->
                    random.nextInt(4) > 0
                            ? logTime()
                            : Log.register(
                                    one(List.of("n2", "")), one(NUMBERS), one(NUMBERS), one(List.of(0L, 8L, 9L)));
                default -> multi();
            };
        }

        private CommandRecord.Builder take(String key) {
            if (random.nextInt(4) == 0) {
                return Log.take(key, one(List.of("p", "", "a b")), number(3, 1));
            }
            CommandRecord.Builder take =
                    Log.take(key, LimitAlgorithm.FIXED, number(3, 1), number(3, 1000), number(3, 1));
            take.getTakeBuilder().setAlgorithmValue(random.nextInt(6)).setBurst(random.nextInt(3) - random.nextInt(2));
            return take;
        }

        /** Nobody becomes an admin, so nobody has to be a user. */
        private CommandRecord.Builder changeUsers() {
            ChangeUsersCommand.Action action = one(List.of(ChangeUsersCommand.Action.values()));
            ChangeUsersCommand.Builder change =
                    ChangeUsersCommand.newBuilder().setName(one(List.of("u", "v", "", "a b")));
            if (action != ChangeUsersCommand.Action.UNRECOGNIZED) {
                change.setAction(action);
            }
            if (random.nextBoolean()) {
                change.setSecret(HashedSecret.newBuilder()
                        .setSalt(ByteString.copyFrom(new byte[Limits.SECRET_SALT_BYTES]))
                        .setHash(ByteString.copyFrom(new byte[Limits.SECRET_HASH_BYTES - (random.nextInt(8) / 7)])));
            }
            if (random.nextBoolean()) {
                change.addRights(GrantedRight.newBuilder()
                        .setKind(random.nextBoolean() ? GrantedRight.Kind.READ : GrantedRight.Kind.WRITE)
                        .setPattern(ByteString.copyFromUtf8(one(List.of("*", "r", "a b", "*r")))));
            }
            return CommandRecord.newBuilder().setChangeUsers(change);
        }

        private CommandRecord.Builder takeAll(String key) {
            CommandRecord.Builder[] takes = new CommandRecord.Builder[random.nextInt(4)];
            for (int i = 0; i < takes.length; i++) {
                takes[i] = random.nextBoolean() ? Log.shadow(take(key)) : take(key);
            }
            return Log.takeAll(takes);
        }

        private CommandRecord.Builder multi() {
            CommandRecord.Builder[] writes = new CommandRecord.Builder[random.nextInt(4)];
            for (int i = 0; i < writes.length; i++) {
                writes[i] = command(random.nextInt(20) == 0);
            }
            return Log.multi(writes);
        }

        private TypedValue.Builder value() {
            return switch (random.nextInt(5)) {
                case 0 -> raw().setFlags(random.nextInt(2));
                case 1 -> TypedValue.newBuilder().setNumber(one(DOUBLES));
                case 2 -> TypedValue.newBuilder().setBoolean(random.nextBoolean());
                case 3 -> TypedValue.newBuilder();
                default -> Log.string(text()).setFlags(random.nextInt());
            };
        }

        private WriteCondition condition() {
            return switch (random.nextInt(6)) {
                case 0 -> absent(random.nextBoolean());
                case 1 -> WriteCondition.newBuilder().setPresent(true).build();
                case 2 -> version(number(2, random.nextInt(1000)));
                default -> WriteCondition.getDefaultInstance();
            };
        }

        private int length() {
            return random.nextInt(20) == 0 ? one(NUMBERS).intValue() : random.nextInt(4);
        }

        private String text() {
            return one(List.of("", "1", "x", "-9223372036854775808", "9223372036854775807", "+007", "1e5", "nan"));
        }

        private <T> T one(List<T> list) {
            return list.get(random.nextInt(list.size()));
        }
    }

    private static final EnumSet<CommandRecord.CommandCase> NEVER_ADMITTED = EnumSet.of(
            CommandRecord.CommandCase.COMMAND_NOT_SET,
            CommandRecord.CommandCase.SWITCH_FORMAT,
            CommandRecord.CommandCase.FOUND_CLUSTER,
            CommandRecord.CommandCase.CHANGE_MEMBER,
            CommandRecord.CommandCase.REFUSED);

    @Test
    void what_is_admitted_is_applied_without_an_exception() throws InvalidProtocolBufferException {
        long seed = Long.getLong("dshm.seed", System.nanoTime());
        Random random = new Random(seed);
        Hostile hostile = new Hostile(random);
        Log log = new Log();
        StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
        log.applyTo(stateMachine);
        long index = stateMachine.appliedIndex();
        long millis = log.nowMillis();
        long sequence = 1;
        Map<CommandRecord.CommandCase, Integer> applied = new EnumMap<>(CommandRecord.CommandCase.class);
        for (int i = 0; i < 30_000; i++) {
            CommandRecord record = hostile.record(sequence);
            if (!Admission.admits(record)) {
                continue;
            }
            millis += random.nextInt(3) == 0 ? random.nextInt(1500) : 0;
            LogEntry entry = LogEntry.newBuilder()
                    .setStampMillis(millis)
                    .addSettled(Settled.newBuilder().setOrigin(Log.ORIGIN).setBelow(sequence - random.nextInt(3)))
                    .addRecords(record)
                    .build();
            StateView view = random.nextInt(10) == 0 ? stateMachine.view() : null;
            try {
                Outcome outcome = stateMachine.apply(++index, ByteBuffer.wrap(entry.toByteArray()))[0];
                assertEquals(
                        outcome.toString(), Outcome.fromWire(outcome.toWire(1)).toString());
            } catch (RuntimeException e) {
                throw new AssertionError("repeat with -Ddshm.seed=" + seed + ": " + record, e);
            } finally {
                if (view != null) {
                    view.close();
                }
            }
            applied.merge(record.getCommandCase(), 1, Integer::sum);
            sequence += record.getOrigin() == Log.ORIGIN && record.getSequence() == sequence ? 1 : 0;
        }
        Set<CommandRecord.CommandCase> missing = EnumSet.complementOf(NEVER_ADMITTED);
        missing.removeIf(kind -> applied.getOrDefault(kind, 0) >= 20);
        assertTrue(missing.isEmpty(), () -> "hardly any of these: " + missing + " in " + applied);
    }
}
