package io.dshm.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What each verb says and makes of its reply; locks, counters and limits on top of them. */
@Timeout(30)
class TypedCallsTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Policy POLICY = Policy.of(Algorithm.LOG, 1_000, MINUTE);

    private final FakeNode node = new FakeNode(new FakeStore());
    private final DshmClient client = DshmClient.builder()
            .endpoints(node.endpoint())
            .deadline(Duration.ofSeconds(20))
            .build();
    private final DshmBlocking blocking = client.blocking();

    @AfterEach
    void close() throws IOException {
        client.close(Duration.ZERO);
        node.close();
    }

    private void reply(Reply reply) {
        node.script(command -> isOwn(command) ? null : reply);
    }

    private static boolean isOwn(Command command) {
        return command == Command.Info.INFO
                || command == Command.Ping.PING
                || (command instanceof Command.Identified identified && identified.sequence() == 1);
    }

    private void replyWords(String words) {
        reply(new Reply.Detailed(null, words));
    }

    private void replyValue(String value, String words) {
        reply(new Reply.Detailed(value.getBytes(UTF_8), words));
    }

    private Command last() {
        Command last = node.received.get(node.received.size() - 1);
        return last instanceof Command.Identified identified ? identified.write() : last;
    }

    @Test
    void typed_entries() {
        replyValue("1.5", "type=number flags=7 ttl=2000 version=12");
        Entry entry = blocking.fetch("k").orElseThrow();
        assertEquals(new Entry(Value.of(1.5).withFlags(7), Optional.of(Duration.ofSeconds(2)), 12), entry);
        assertEquals(1.5, entry.value().number());
        replyWords("type=list length=3 version=4");
        assertEquals(
                new EntryInfo(ValueType.LIST, 3, 0, Optional.empty(), 4),
                blocking.stat("k").orElseThrow());
        replyWords("version=5 evicted=yes");
        PutOptions options = PutOptions.DEFAULT.withTtl(MINUTE).onlyIf(Condition.ABSENT);
        assertEquals(new Stored(true, 5, true), blocking.put("k", Value.of(true), options));
        assertTrue(last() instanceof Command.Put put && put.condition().equals(Condition.ABSENT));
        reply(new Reply.Failure(ErrorCode.EXISTS, null));
        assertEquals(new Stored(false, 0, false), blocking.put("k", Value.of("v"), options));
        assertFalse(blocking.remove("k", Condition.version(3)));
        reply(Reply.Failure.NOT_FOUND);
        assertEquals(Optional.empty(), blocking.fetch("k"));
        assertEquals(Optional.empty(), blocking.stat("k"));
        assertEquals(Optional.empty(), blocking.pop("k", Command.End.LEFT));
        assertEquals(OptionalDouble.empty(), blocking.incrNumber("k", 1));
        assertFalse(blocking.expire("k", MINUTE));
        reply(new Reply.Value("2.5".getBytes(UTF_8)));
        assertEquals(2.5, blocking.incrNumber("k", 1, 1.5, Duration.ZERO));
        reply(new Reply.Value("3".getBytes(UTF_8)));
        assertEquals(3, blocking.push("k", Command.End.RIGHT, Value.of("e")));
        replyValue("e", "type=string");
        assertEquals(Optional.of(Value.of("e")), blocking.pop("k", Command.End.LEFT));
    }

    @Test
    void regions_and_several() {
        replyValue("a%20b:c\nd\n", "count=2 next=9");
        assertEquals(new KeyPage(List.of("a b:c", "d"), OptionalLong.of(9)), blocking.keys("r", 10, 0));
        replyWords("entries=1 stale=2 bytes=3 capacity=4 free=5");
        assertEquals(new RegionInfo(1, 2, 3, 4, 5), blocking.region("r"));
        replyWords("protocol=2 node=n1 leader=n2");
        node.script(command -> new Reply.Detailed(null, "protocol=2 node=n1 leader=n2"));
        assertEquals(new NodeInfo(2, "n1", Optional.of("n2")), blocking.info());
        reply(new Reply.Value("LEN 1\r\nv\r\nDONE\r\nERROR not_found\r\n".getBytes(UTF_8)));
        assertEquals(
                List.of("a"), List.copyOf(blocking.getAll(List.of("a", "b")).keySet()));
        assertArrayEquals(
                "v".getBytes(UTF_8), blocking.getAll(List.of("a", "b")).get("a"));
        reply(new Reply.Value("DONE\r\nDONE version=3\r\n".getBytes(UTF_8)));
        List<Reply> replies = blocking.multi(List.of(
                new Command.Delete(DshmClient.wireKey("a b")), new Command.Expire(DshmClient.wireKey("a b"), 5)));
        assertEquals(List.of(Reply.Done.DONE, new Reply.Detailed(null, "version=3")), replies);
        reply(new Reply.Value("4".getBytes(UTF_8)));
        assertEquals(4, blocking.flushExpired("r", 0));
    }

    @Test
    void a_lock_is_held_by_one_and_has_a_fence() {
        replyWords("allowed=1 limit=1 remaining=0 retry=0 fence=17");
        Lock.Held held = client.lock("locks:job").tryLock(MINUTE).join().orElseThrow();
        assertEquals(17, held.fence());
        assertTrue(held.isSure());
        Key holder = ((Command.Acquire) last()).holder();
        assertTrue(held.renew(MINUTE).join());
        assertEquals(holder, ((Command.Acquire) last()).holder());
        reply(Reply.Done.DONE);
        held.release().join();
        assertEquals(holder, ((Command.Release) last()).holder());
        assertFalse(held.isSure());

        replyWords("allowed=0 limit=1 remaining=0 retry=10");
        assertEquals(Optional.empty(), client.lock("locks:job").tryLock(MINUTE).join());
        AtomicLong asked = new AtomicLong();
        node.script(command -> isOwn(command)
                ? null
                : new Reply.Detailed(
                        null,
                        asked.incrementAndGet() < 3
                                ? "allowed=0 limit=1 remaining=0 retry=10"
                                : "allowed=1 limit=1 remaining=0 retry=0 fence=18"));
        assertEquals(18, client.lock("locks:job").lock(MINUTE, MINUTE).join().fence());
    }

    @Test
    void a_counter_counts() {
        Counter counter = client.counter("n");
        assertEquals(1, counter.increment().join());
        assertEquals(11, counter.add(10).join());
        assertEquals(11, counter.get().join());
    }

    @Test
    void a_limiter_without_shares_asks_each_time_and_says_what_happens_without_an_answer() {
        replyWords("allowed=1 limit=5 remaining=4 reset=100 retry=0");
        assertTrue(client.rateLimiter(POLICY).take("k").join());
        replyWords("allowed=0 limit=5 remaining=0 reset=100 retry=7");
        assertFalse(client.rateLimiter(POLICY).take("k").join());
        assertEquals(
                Optional.of(Duration.ofMillis(7)),
                client.rateLimiter(POLICY).decide("k", 1).join().retry());

        reply(new Reply.Failure(ErrorCode.OUT_OF_MEMORY, null));
        assertTrue(client.rateLimiter(POLICY).otherwise(true).take("k").join());
        assertFalse(client.rateLimiter(POLICY).otherwise(false).take("k").join());
        assertThrows(
                IllegalArgumentException.class,
                () -> client.rateLimiter(Policy.of(Algorithm.LEAKY, 1, MINUTE)).withShares());
    }

    /** A limiter of so many tokens, which grants and takes exactly. */
    private final class Tokens {
        private long left;
        private long asked;

        Tokens(long limit) {
            left = limit;
            node.script(this::reply);
        }

        private synchronized Reply reply(Command command) {
            Command write = command instanceof Command.Identified identified ? identified.write() : command;
            if (isOwn(command)) {
                return new Reply.Detailed(null, "protocol=2 node=n1 leader=n1");
            }
            asked++;
            if (write instanceof Command.Grant grant) {
                long granted = Math.min(left, grant.take().cost());
                granted = granted < grant.min() ? 0 : granted;
                left -= granted;
                return new Reply.Detailed(null, "granted=" + granted + " limit=1000 remaining=" + left + " life=6000");
            } else if (write instanceof Command.Take) {
                boolean allowed = left > 0;
                left -= allowed ? 1 : 0;
                return new Reply.Detailed(
                        null, "allowed=" + (allowed ? 1 : 0) + " limit=1000 remaining=" + left + " reset=0 retry=0");
            } else if (write instanceof Command.Return giveBack) {
                left += giveBack.unused();
                notifyAll();
            }
            return Reply.Done.DONE;
        }
    }

    @Test
    void a_node_may_decide_from_its_own_share_if_it_is_asked_so() {
        replyWords("allowed=1 limit=1000 remaining=999 reset=60000 retry=0");
        assertTrue(blocking.takeShared("k", POLICY, 1).allowed());
        assertTrue(((Command.Take) last()).share());
        assertTrue(client.take("k", POLICY, 1).join().allowed());
        assertFalse(((Command.Take) last()).share());
    }

    @Test
    void shares_decide_without_a_round_trip_and_never_above_the_limit() throws InterruptedException {
        Tokens tokens = new Tokens(1_000);
        long admitted = 0;
        try (RateLimiter limiter = client.rateLimiter(POLICY).withShares()) {
            for (int i = 0; i < 3_000; i++) {
                admitted += limiter.take("k").join() ? 1 : 0;
            }
        }
        admitted += client.take("other", POLICY, 1).join().allowed() ? 1 : 0;

        synchronized (tokens) {
            assertTrue(admitted <= 1_000, admitted + " admitted");
            assertTrue(admitted > 500, admitted + " admitted");
            while (admitted + tokens.left != 1_000) {
                // A share that was granted at the end is given back yet; nothing is lost.
                tokens.wait();
            }
        }
    }

    @Test
    void a_key_that_is_seldom_asked_for_has_no_share() {
        Tokens tokens = new Tokens(1_000);
        try (RateLimiter limiter = client.rateLimiter(POLICY).withShares()) {
            for (int i = 0; i < 5; i++) {
                assertTrue(limiter.take("k").join());
            }
        }
        synchronized (tokens) {
            assertEquals(5, tokens.asked);
        }
    }
}
