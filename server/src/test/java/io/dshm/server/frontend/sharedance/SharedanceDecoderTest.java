package io.dshm.server.frontend.sharedance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.server.frontend.MemoryBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharedanceDecoderTest {

    private static final int VALUE_BYTES_MAX = 20_000;
    private static final long TTL_MILLIS = 1_800_000;

    private final MemoryBudget budget = new MemoryBudget(30_000);
    private final SharedanceDecoder decoder = newDecoder();

    private SharedanceDecoder newDecoder() {
        return new SharedanceDecoder(VALUE_BYTES_MAX, TTL_MILLIS, budget);
    }

    @Test
    void no_request_of_http_is_a_command_whatever_its_method() {
        for (char verb = '!'; verb <= '~'; verb++) {
            for (String rest : new String[] {" / HTTP/1.1", "/ HTTP/1.1", "ET / HTTP/1.1"}) {
                SharedanceDecoder http = newDecoder();
                assertNull(feed(http, bytes(verb + rest + "\r\nHost: x\r\n\r\nD\0\0\0\1k")));
                assertTrue(http.isRefused(), verb + rest);
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static byte[] request(char verb, int keyLength, String rest) {
        ByteBuf request = Unpooled.buffer().writeByte(verb).writeInt(keyLength).writeBytes(bytes(rest));
        byte[] bytes = new byte[request.readableBytes()];
        request.readBytes(bytes);
        return bytes;
    }

    private static byte[] store(String key, int dataLength, byte[] data) {
        ByteBuf request = Unpooled.buffer()
                .writeByte('S')
                .writeInt(key.length())
                .writeInt(dataLength)
                .writeBytes(bytes(key))
                .writeBytes(data);
        byte[] bytes = new byte[request.readableBytes()];
        request.readBytes(bytes);
        return bytes;
    }

    private static @Nullable Command feed(SharedanceDecoder decoder, byte[] bytes) {
        decoder.decode(Unpooled.wrappedBuffer(bytes));
        return decoder.take();
    }

    /** Feeds one byte at a time: nothing may come before the last. */
    private static @Nullable Command feedByteByByte(SharedanceDecoder decoder, byte[] bytes) {
        Command command = null;
        for (byte b : bytes) {
            assertNull(command);
            assertFalse(decoder.isRefused());
            command = feed(decoder, new byte[] {b});
        }
        return command;
    }

    private void assertRefused(byte[] bytes) {
        SharedanceDecoder whole = newDecoder();
        assertNull(feed(whole, bytes));
        assertTrue(whole.isRefused());
        SharedanceDecoder inPieces = newDecoder();
        boolean refused = false;
        for (int i = 0; i < bytes.length && !refused; i++) {
            inPieces.decode(Unpooled.wrappedBuffer(bytes, i, 1));
            refused = inPieces.isRefused();
        }
        assertTrue(refused);
        assertNull(inPieces.take());
        assertEquals(0, budget.bytesReserved());
    }

    @Test
    void a_fetch_and_a_delete_are_a_key() {
        assertEquals(new Command.Get(Key.of("sharedance::k1")), feed(newDecoder(), request('F', 2, "k1")));
        assertEquals(new Command.Get(Key.of("sharedance::k1")), feedByteByByte(newDecoder(), request('F', 2, "k1")));
        assertEquals(new Command.Delete(Key.of("sharedance::a%20b")), feed(newDecoder(), request('D', 3, "a b")));
        assertEquals(new Command.Delete(Key.of("sharedance::k")), feedByteByByte(newDecoder(), request('D', 1, "k")));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4081, 4082, 4096, 4097, VALUE_BYTES_MAX})
    void a_store_is_a_key_and_bytes_of_any_kind(int length) {
        byte[] data = new byte[length];
        new Random(length).nextBytes(data);
        for (boolean atOnce : new boolean[] {true, false}) {
            SharedanceDecoder fresh = newDecoder();
            byte[] request = store("key", length, data);
            Command.Set set =
                    assertInstanceOf(Command.Set.class, atOnce ? feed(fresh, request) : feedByteByByte(fresh, request));
            assertEquals(Key.of("sharedance::key"), set.key());
            assertEquals(TTL_MILLIS, set.ttlMillis());
            assertArrayEquals(data, set.value());
            int held = "sharedance::key".length() + length;
            assertEquals(held > 4096 ? held : 0, budget.bytesReserved(), "handed over with the command");
            budget.release((int) budget.bytesReserved());
            fresh.close();
            assertEquals(0, budget.bytesReserved());
        }
    }

    @Test
    void the_longest_key_is_taken_and_a_longer_one_is_refused_by_its_length() {
        String longest = "k".repeat(Limits.SHAREDANCE_KEY_BYTES_MAX);
        Command get = feed(newDecoder(), request('F', longest.length(), longest));
        assertEquals(
                "sharedance::" + longest,
                assertInstanceOf(Command.Get.class, get).key().toString());
        assertEquals(get.heldBytes(), budget.bytesReserved(), "handed over with the command");
        budget.release(get.heldBytes());
        assertRefused(request('F', Limits.SHAREDANCE_KEY_BYTES_MAX + 1, ""));
        assertRefused(request('F', Integer.MAX_VALUE, ""));
        assertRefused(request('F', -1, ""));
    }

    @Test
    void data_beyond_the_limit_is_refused_by_its_length() {
        assertRefused(store("", VALUE_BYTES_MAX + 1, new byte[0]));
        byte[] request = store("k", 0, new byte[0]);
        for (int length : new int[] {VALUE_BYTES_MAX + 1, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
            Unpooled.wrappedBuffer(request).setInt(5, length);
            assertRefused(request);
        }
    }

    @Test
    void what_is_no_command_is_refused() {
        for (int verb = 0; verb < 256; verb++) {
            if ("SFD".indexOf(verb) < 0) {
                assertRefused(new byte[] {(byte) verb});
            }
        }
        assertRefused(request('F', 0, ""));
        assertRefused(request('D', 3, "a.b"));
        assertRefused(request('F', 3, "a/b"));
        assertRefused(request('F', 1, "\u007F"));
        assertRefused(request('F', 2, "\u00E9\n"));
    }

    @Test
    void a_byte_too_many_is_refused_also_when_it_comes_after_the_command() {
        assertRefused(request('F', 1, "kx"));
        assertRefused(store("k", 2, bytes("abc")));
        assertInstanceOf(Command.Get.class, feed(decoder, request('F', 1, "k")));
        assertNull(feed(decoder, bytes("x")));
        assertTrue(decoder.isRefused());
    }

    @Test
    void a_command_is_there_once() {
        decoder.decode(Unpooled.wrappedBuffer(store("k", 1, bytes("v"))));
        assertInstanceOf(Command.Set.class, decoder.take());
        assertNull(decoder.take());
        assertFalse(decoder.isRefused());
    }

    @Test
    void data_that_stops_halfway_gives_back_what_it_held() {
        assertNull(feed(decoder, store("k", 10_000, new byte[9_999])));
        assertTrue(decoder.holdsBudget());
        assertEquals(10_000, budget.bytesReserved());
        decoder.close();
        assertFalse(decoder.holdsBudget());
        assertEquals(0, budget.bytesReserved());
    }

    @Test
    void what_is_announced_costs_nothing_before_it_arrives() {
        assertNull(feed(decoder, store("k", VALUE_BYTES_MAX, new byte[4096])));
        assertFalse(decoder.holdsBudget());
        assertEquals(0, budget.bytesReserved());
    }

    @Test
    void when_the_budget_is_used_up_then_data_and_long_keys_are_refused_and_that_is_told_from_nonsense() {
        assertNull(feed(decoder, store("k", VALUE_BYTES_MAX, new byte[VALUE_BYTES_MAX - 1])));
        String longKey = "k".repeat(VALUE_BYTES_MAX);
        for (byte[] request : List.of(
                store("k", VALUE_BYTES_MAX, new byte[VALUE_BYTES_MAX]), request('F', VALUE_BYTES_MAX, longKey))) {
            SharedanceDecoder second = newDecoder();
            assertNull(feed(second, request));
            assertTrue(second.isRefused());
            assertTrue(second.isBusy());
        }
        SharedanceDecoder nonsense = newDecoder();
        assertNull(feed(nonsense, request('F', 3, "a/b")));
        assertFalse(nonsense.isBusy());
        decoder.close();
        assertEquals(0, budget.bytesReserved());
    }

    @Test
    void whatever_bytes_come_in_whatever_pieces_it_neither_throws_nor_holds_anything_in_the_end() {
        long seed = Long.getLong("dshm.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            SharedanceDecoder fuzzed = newDecoder();
            byte[] bytes = new byte[1 + random.nextInt(40)];
            random.nextBytes(bytes);
            bytes[0] = (byte) "SFDs".charAt(random.nextInt(4));
            for (int i = 1; i < Math.min(bytes.length, 9); i++) {
                bytes[i] = i % 4 == 0 ? (byte) random.nextInt(9) : random.nextInt(200) == 0 ? bytes[i] : 0;
            }
            ByteBuf in = Unpooled.wrappedBuffer(bytes);
            while (in.isReadable()) {
                fuzzed.decode(in.readSlice(Math.min(in.readableBytes(), 1 + random.nextInt(6))));
            }
            fuzzed.close();
            assertEquals(0, budget.bytesReserved(), "seed " + seed);
        }
    }
}
