package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.dshm.proto.ValueType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Bytes that nobody meant to send. {@link Feeding} checks after each piece that what is held stays bounded. */
class CodecFuzzTest {

    private static final int ROUNDS = 3000;
    private static final int VALUE_BYTES_MAX = 4 * Limits.VALUE_BUDGET_STEP_BYTES;
    private static final int BUDGET_BYTES = 3 * Limits.VALUE_BUDGET_STEP_BYTES;

    private static final List<String> WORDS = List.of(
            "GET",
            "SET",
            "set",
            "INCR",
            "RATE_LIMITER",
            "TOUCH",
            "DELETE",
            "FLUSHALL",
            "FETCH",
            "PUT",
            "LPUSH",
            "MULTI",
            "INCR_NUMBER",
            "KEYS",
            "type=number",
            "if=absent",
            "id=5 seq=1",
            "read=local",
            " ",
            " ",
            " ",
            " ",
            " ",
            "k",
            "region::k",
            "0",
            "1",
            "-1",
            "1.5",
            "0.0001",
            "007",
            "5",
            "999999999999999999",
            "9223372036854775807",
            "x",
            "type=s",
            "\r\n",
            "\r\n",
            "\r\n",
            "\n",
            "\r",
            "\0",
            "\u007F",
            "\u00FF",
            ":",
            "QUIT");

    private final Random random = TestSeed.random();

    @Test
    void random_bytes_are_refused_and_nothing_else_happens() {
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            holdsHoweverCut(bytes);
        }
    }

    @Test
    void words_of_the_protocol_in_any_order() {
        for (int round = 0; round < ROUNDS; round++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int words = random.nextInt(100); words > 0; words--) {
                String word = WORDS.get(random.nextInt(WORDS.size()));
                bytes.writeBytes(word.getBytes(StandardCharsets.ISO_8859_1));
            }
            holdsHoweverCut(bytes.toByteArray());
        }
    }

    @Test
    void conversations_with_bytes_changed() throws IOException {
        List<byte[]> conversations = new ArrayList<>();
        for (Conversation conversation : Conversation.loadAll(Path.of("conversations"))) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (Conversation.Step step : conversation.steps()) {
                if (step instanceof Conversation.Send send && send.bytes().length < 5000) {
                    bytes.writeBytes(send.bytes());
                }
            }
            conversations.add(bytes.toByteArray());
        }
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes =
                    conversations.get(random.nextInt(conversations.size())).clone();
            for (int changes = 1 + random.nextInt(5); changes > 0; changes--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            holdsHoweverCut(bytes);
        }
    }

    @Test
    void large_values_cut_off_anywhere() {
        for (int round = 0; round < 100; round++) {
            int length = random.nextInt(VALUE_BYTES_MAX + 1000);
            byte[] head = ("SET k 0 " + length + "\r\n").getBytes(StandardCharsets.US_ASCII);
            holdsHoweverCut(Arrays.copyOf(head, head.length + random.nextInt(length + 1)));
        }
    }

    @Test
    void random_commands_survive_the_way_over_the_wire() {
        for (int round = 0; round < ROUNDS; round++) {
            Command command = randomCommand();
            ByteBuf out = Unpooled.buffer();
            RequestEncoder.encode(command, out);
            byte[] bytes = ByteBufUtil.getBytes(out);
            assertEquals(List.of(Rendering.of(command)), decode(bytes, this::smallPiece));
        }
    }

    @Test
    void random_bytes_from_a_server_are_a_protocol_exception_at_worst() {
        for (int round = 0; round < ROUNDS; round++) {
            ByteBuf reply = Unpooled.buffer();
            ReplyEncoder.encode(new Reply.Value(new byte[random.nextInt(20)]), reply);
            byte[] bytes = ByteBufUtil.getBytes(reply);
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            ByteBuf in = Unpooled.wrappedBuffer(bytes);
            ReplyDecoder decoder = new ReplyDecoder(1000);
            try {
                while (decoder.decode(in) != null) {
                    assertTrue(in.readerIndex() > 0);
                }
            } catch (ProtocolException expected) {
                assertFalse(expected.toString().isEmpty());
            }
        }
    }

    /** The same requests come out in whatever pieces the bytes come in, and the budget is whole again after the end. */
    private void holdsHoweverCut(byte[] bytes) {
        assertEquals(decode(bytes, () -> Math.max(1, bytes.length)), decode(bytes, this::smallPiece));
    }

    private int smallPiece() {
        return 1 + random.nextInt(random.nextInt(100) == 0 ? 100_000 : 20);
    }

    private static List<String> decode(byte[] bytes, IntSupplier pieceSize) {
        CountingBudget budget = new CountingBudget(BUDGET_BYTES);
        RequestDecoder decoder = new RequestDecoder(VALUE_BYTES_MAX, budget);
        List<Request> requests = new Feeding(decoder, budget, Unpooled.buffer()).feed(bytes, pieceSize);
        decoder.close();
        assertEquals(0, budget.reserved());
        for (Request request : requests.subList(0, Math.max(0, requests.size() - 1))) {
            assertFalse(request instanceof Rejection rejection && rejection.closes(), "a request after the last");
        }
        return requests.stream().map(Rendering::of).toList();
    }

    private Command randomCommand() {
        Key key = Key.of(randomName(1 + random.nextInt(40), ""));
        return switch (random.nextInt(15)) {
            case 14 ->
                new Command.TakeAll(
                        Stream.generate(() -> randomTake(Key.of("r:" + random.nextInt(99))))
                                .limit(1 + random.nextInt(5))
                                .toList(),
                        0);
            case 9 -> randomRead();
            case 10 -> randomWrite();
            case 11 -> {
                int sequence = 1 + random.nextInt(9);
                int done = random.nextInt(sequence + 1);
                boolean retry = done > 0 && random.nextBoolean();
                yield new Command.Identified(random.nextInt(1000), sequence, done, retry, randomWrite());
            }
            case 12 ->
                new Command.MultiRead(
                        Stream.generate(this::randomRead)
                                .limit(1 + random.nextInt(5))
                                .toList(),
                        random.nextBoolean() ? null : randomReadMode());
            case 13 ->
                new Command.Multi(
                        Stream.generate(this::randomWrite)
                                .limit(1 + random.nextInt(5))
                                .toList(),
                        0);
            case 0 -> new Command.Get(key, random.nextBoolean() ? null : randomReadMode());
            case 1 -> new Command.Set(key, randomMillis(), randomValue());
            case 2 -> new Command.Touch(key, randomMillis());
            case 3 -> new Command.Delete(key);
            case 4 -> new Command.Incr(key, randomLong(), randomLong(), randomMillis());
            case 5 -> new Command.RateLimiter(key, random.nextInt(Limits.LIMITER_CAPACITY_MAX + 1), randomMillis());
            case 6 -> new Command.FlushAll(randomName(random.nextInt(40), ":"));
            case 7 -> new Command.SetReadMode(randomReadMode());
            case 8 -> new Command.SetShares(random.nextBoolean());
            default -> Command.Quit.QUIT;
        };
    }

    private Command.KeyRead randomRead() {
        Key key = Key.of(randomName(1 + random.nextInt(40), ""));
        ReadMode mode = random.nextBoolean() ? null : randomReadMode();
        return random.nextBoolean()
                ? new Command.Fetch(key, random.nextBoolean(), mode)
                : new Command.Stat(key, random.nextBoolean(), mode);
    }

    private Command.KeyWrite randomWrite() {
        Key key = Key.of(randomName(1 + random.nextInt(40), ""));
        return switch (random.nextInt(13)) {
            case 9 -> new Command.Reserve(amount(randomTake(key)), randomId(), 1 + random.nextInt(100_000));
            case 10 -> new Command.Settle(key, randomId(), random.nextInt(9));
            case 11 -> new Command.Grant(amount(randomTake(key)), randomId(), 1 + random.nextInt(3));
            case 12 -> new Command.Return(key, randomId(), random.nextInt(9));
            case 5 -> randomTake(key);
            case 7 -> new Command.Acquire(key, random.nextInt(9), randomId(), 1 + random.nextInt(100_000));
            case 8 -> new Command.Release(key, randomId());
            case 0 ->
                new Command.Put(
                        key,
                        randomMillis(),
                        ValueType.STRING,
                        random.nextInt(),
                        randomCondition(),
                        randomFull(),
                        new byte[random.nextInt(100)]);
            case 1 -> new Command.Put(key, 0, ValueType.NUMBER, 0, Condition.ANY, Doubles.toBytes(randomDouble()));
            case 2 -> new Command.Remove(key, Condition.version(1 + (randomLong() >>> 8 & 0xFFFF_FFFFL)));
            case 3 -> new Command.Expire(key, randomMillis());
            case 4 ->
                new Command.IncrNumber(
                        key, randomDouble(), random.nextBoolean() ? null : randomDouble(), 0, randomFull());
            default ->
                random.nextBoolean()
                        ? new Command.Push(
                                key, Command.End.LEFT, ValueType.STRING, randomFull(), new byte[random.nextInt(9)])
                        : new Command.Pop(key, Command.End.RIGHT);
        };
    }

    private Command.Full randomFull() {
        Command.Full[] all = Command.Full.values();
        return all[random.nextInt(all.length)];
    }

    private Command.Take amount(Command.Take take) {
        return new Command.Take(take.key(), take.policy(), take.policyKey(), 3 + random.nextInt(9), false);
    }

    private Key randomId() {
        return Key.of(randomName(1 + random.nextInt(40), ""));
    }

    private Command.Take randomTake(Key key) {
        int cost = random.nextInt(5) - 2;
        if (random.nextInt(4) == 0) {
            return new Command.Take(
                    key,
                    null,
                    Key.of("policies::p" + random.nextInt(9)),
                    cost,
                    random.nextBoolean(),
                    random.nextBoolean());
        }
        List<Algorithm> algorithms = List.of(Algorithm.values());
        Algorithm algorithm = algorithms.get(random.nextInt(algorithms.size()));
        long burst = algorithm.hasBurst() ? random.nextInt(20) : 0;
        int periodMillis = 1 + random.nextInt(100_000);
        Policy policy = new Policy(algorithm, random.nextLong(Limits.TOKENS_MAX + 1), periodMillis, burst);
        return new Command.Take(key, policy, null, cost, random.nextBoolean(), random.nextBoolean());
    }

    private Condition randomCondition() {
        return switch (random.nextInt(4)) {
            case 0 -> Condition.ANY;
            case 1 -> Condition.ABSENT;
            case 2 -> Condition.PRESENT;
            default -> Condition.version(1 + random.nextInt(1000));
        };
    }

    private double randomDouble() {
        return Double.longBitsToDouble(random.nextLong());
    }

    private ReadMode randomReadMode() {
        return random.nextBoolean() ? ReadMode.LOCAL : ReadMode.LINEARIZABLE;
    }

    private byte[] randomName(int length, String without) {
        byte[] name = new byte[length];
        for (int at = 0; at < length; ) {
            int character = '!' + random.nextInt(0xFF - ' ');
            if (character != 0x7F && without.indexOf(character) < 0) {
                name[at] = (byte) character;
                at++;
            }
        }
        return name;
    }

    private byte[] randomValue() {
        byte[] value = new byte[random.nextInt(10) == 0 ? random.nextInt(BUDGET_BYTES) : random.nextInt(100)];
        random.nextBytes(value);
        return value;
    }

    private long randomMillis() {
        return randomLong() >>> 1 & Limits.TTL_MILLIS_MAX;
    }

    /** Of any magnitude, not only the largest. */
    private long randomLong() {
        return random.nextLong() >> random.nextInt(Long.SIZE);
    }
}
