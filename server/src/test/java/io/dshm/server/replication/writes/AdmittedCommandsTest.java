package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Request;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.proto.text.ValueBudget;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.statemachine.Admission;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whatever a client can send may be proposed: admission is not narrower than the protocol. */
class AdmittedCommandsTest {

    private static final long SEED = Long.getLong("dshm.seed", System.nanoTime());
    private static final int REQUESTS = 20_000;

    private static final List<String> KEYS = List.of("k", "sessions:a", ":", "\u00e9", "a:b:c", "<key>", "<long key>");
    private static final List<String> SECONDS = List.of("0", "0.001", "1", "86400", "999999999999999999");
    private static final List<String> INTEGERS = List.of("0", "-1", "9223372036854775807", "-9223372036854775808");
    private static final List<String> DOUBLES =
            List.of("0", "-0", "1.5", "1e308", "nan", "-inf", "12345678901234567890");
    private static final List<String> FULL = List.of("", " full=evict", " full=refuse");
    private static final List<String> CONDITIONS =
            List.of("", " if=absent", " if=present", " if=1", " if=999999999999999999");
    private static final List<String> IDENTITIES =
            List.of("", " id=0 seq=1", " id=999999999999999999 seq=999999999999999999");

    private static final List<String> BURSTS = List.of("", " burst=0", " burst=1000000000000");
    private static final List<String> COSTS = List.of("", " cost=0", " cost=-1", " cost=1000000000000");
    private static final List<String> AMOUNTS = List.of("0", "1", "1000000000000");
    private static final List<String> SHADOWS = List.of("", " shadow=yes");

    private final Random random = new Random(SEED);

    @Test
    void what_the_decoder_lets_through_is_admitted() {
        Set<CommandRecord.CommandCase> seen = EnumSet.noneOf(CommandRecord.CommandCase.class);
        for (int i = 0; i < REQUESTS; i++) {
            String text = request();
            Request request = decode(text);
            if (request instanceof Command.Write write) {
                seen.add(check(write, text));
            }
        }
        assertEquals(EnumSet.complementOf(OF_NO_CLIENT), seen);
    }

    private static final EnumSet<CommandRecord.CommandCase> OF_NO_CLIENT = EnumSet.of(
            CommandRecord.CommandCase.CHUNK,
            CommandRecord.CommandCase.PURGE,
            CommandRecord.CommandCase.REGISTER_NODE,
            CommandRecord.CommandCase.LOG_TIME,
            CommandRecord.CommandCase.LIMIT_REGION,
            CommandRecord.CommandCase.SWITCH_FORMAT,
            CommandRecord.CommandCase.FOUND_CLUSTER,
            CommandRecord.CommandCase.CHANGE_MEMBER,
            CommandRecord.CommandCase.CHANGE_USERS,
            CommandRecord.CommandCase.REFUSED,
            CommandRecord.CommandCase.COMMAND_NOT_SET);

    private static CommandRecord.CommandCase check(Command.Write write, String text) {
        CommandRecord.Builder record =
                Records.largeValue(write) == null ? Records.of(write) : Records.publication(write, 1);
        CommandRecord numbered = record.setOrigin(1).setSequence(1).build();
        assertTrue(
                Admission.admits(numbered),
                () -> "repeat with -Ddshm.seed=" + SEED + ": " + text.substring(0, Math.min(200, text.length())));
        return numbered.getCommandCase();
    }

    private static @Nullable Request decode(String text) {
        RequestDecoder decoder = new RequestDecoder(Limits.VALUE_BYTES_MAX, ValueBudget.UNLIMITED);
        return decoder.decode(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8)));
    }

    private String request() {
        return switch (random.nextInt(12)) {
            case 0 -> flushAll();
            case 1 -> multi();
            case 2 -> takeAll();
            default -> simple(one(IDENTITIES));
        };
    }

    private String flushAll() {
        return "FLUSHALL" + one(List.of("", " sessions", " <key>")).replace("<key>", "k".repeat(Limits.KEY_BYTES_MAX))
                + "\r\n";
    }

    private String multi() {
        StringBuilder data = new StringBuilder();
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            data.append(simple(""));
        }
        if (random.nextInt(20) == 0) {
            data.append("LPOP k\r\n".repeat(Limits.MULTI_REQUESTS_MAX - 5));
        }
        return "MULTI " + data.toString().getBytes(StandardCharsets.UTF_8).length + one(IDENTITIES) + "\r\n" + data;
    }

    private String takeAll() {
        StringBuilder data = new StringBuilder();
        for (int i = random.nextInt(20) == 0 ? Limits.TAKES_MAX : 1 + random.nextInt(5); i > 0; i--) {
            data.append("TAKE r:").append(i).append(' ').append(policy()).append(one(COSTS));
            data.append(one(SHADOWS)).append("\r\n");
        }
        return "TAKE_ALL " + data.length() + one(IDENTITIES) + "\r\n" + data;
    }

    private String simple(String identity) {
        String key = one(KEYS)
                .replace("<key>", "k".repeat(Limits.KEY_BYTES_MAX))
                .replace("<long key>", "%20".repeat(Limits.LONG_KEY_BYTES_MAX / 3));
        return switch (random.nextInt(17)) {
            case 14 ->
                random.nextBoolean()
                        ? "RESERVE " + key + " " + policy() + " hold=x ttl=" + one(List.of("0.001", "315619200"))
                                + " cost=" + one(AMOUNTS) + identity + "\r\n"
                        : "SETTLE " + key + " x cost=" + one(AMOUNTS) + identity + "\r\n";
            case 15 ->
                random.nextBoolean()
                        ? "GRANT " + key + " " + policy() + holder() + " want=1000000000000"
                                + one(List.of("", " min=1", " min=1000000000000")) + identity + "\r\n"
                        : "RETURN " + key + holder() + " unused=" + one(AMOUNTS) + identity + "\r\n";
            case 0 -> "SET " + key + " " + one(SECONDS) + data(value(), identity);
            case 1 -> "TOUCH " + key + " " + one(SECONDS) + identity + "\r\n";
            case 2 -> "DELETE " + key + identity + "\r\n";
            case 3 ->
                "INCR " + key + " " + one(INTEGERS) + " " + one(INTEGERS) + " " + one(SECONDS) + identity + "\r\n";
            case 4 ->
                "RATE_LIMITER " + key + " " + one(List.of("0", "1", "1000000")) + " " + one(SECONDS) + identity
                        + "\r\n";
            case 5 ->
                "PUT " + key + " " + one(SECONDS)
                        + data(value(), " flags=4294967295" + one(CONDITIONS) + one(FULL) + identity);
            case 6 -> "PUT " + key + " " + one(SECONDS) + data(one(DOUBLES), " type=number" + identity);
            case 7 -> "PUT " + key + " 0" + data("true", " type=" + one(List.of("boolean", "raw")) + identity);
            case 8 -> "REMOVE " + key + one(CONDITIONS) + identity + "\r\n";
            case 9 -> "EXPIRE " + key + " " + one(SECONDS) + identity + "\r\n";
            case 10 ->
                "INCR_NUMBER " + key + " " + one(DOUBLES) + one(List.of("", " init=1", " init=nan ttl=5")) + one(FULL)
                        + identity + "\r\n";
            case 12 ->
                "ACQUIRE " + key + " " + one(List.of("0", "1", "1000000000000")) + holder() + " ttl="
                        + one(List.of("0.001", "5", "315619200")) + identity + "\r\n";
            case 13 -> "RELEASE " + key + holder() + identity + "\r\n";
            case 11 -> "TAKE " + key + " " + policy() + one(COSTS) + one(SHADOWS) + identity + "\r\n";
            default ->
                random.nextBoolean()
                        ? one(List.of("LPOP ", "RPOP ")) + key + identity + "\r\n"
                        : one(List.of("LPUSH ", "RPUSH ")) + key + push(identity);
        };
    }

    private String holder() {
        return " holder=" + one(List.of("h", "%20:=", "h".repeat(Limits.HOLDER_BYTES_MAX)));
    }

    private String policy() {
        if (random.nextInt(4) == 0) {
            return "policy=" + one(List.of("p", "%20", "a.b"));
        }
        String algorithm = one(List.of("fixed", "log", "counter", "gcra", "leaky"));
        String burst = algorithm.equals("gcra") || algorithm.equals("leaky") ? one(BURSTS) : "";
        return algorithm + " " + one(List.of("1", "100", "1000000000000")) + " "
                + one(List.of("0.001", "1", "60", "315360000")) + burst;
    }

    private String push(String identity) {
        return random.nextBoolean()
                ? data(one(DOUBLES), " type=number" + one(FULL) + identity)
                : data("e".repeat(random.nextInt(100)), identity);
    }

    private String value() {
        int kind = random.nextInt(60);
        return "v".repeat(kind == 0 ? Limits.INLINE_VALUE_BYTES_MAX + 1 : kind < 3 ? 256 * 1024 : random.nextInt(100));
    }

    private static String data(String value, String options) {
        return " " + value.length() + options + "\r\n" + value;
    }

    private <T> T one(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
