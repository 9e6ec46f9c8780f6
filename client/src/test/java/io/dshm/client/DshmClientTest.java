package io.dshm.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client against nodes that do what each test says. */
@Timeout(30)
class DshmClientTest {

    private static final Key N = Key.of("n");

    private final FakeStore store = new FakeStore();
    private final FakeNode near = new FakeNode(store);
    private final FakeNode far = new FakeNode(store);
    private final BlockingQueue<NodeEvent> events = new LinkedBlockingQueue<>();
    private final List<DshmClient> clients = new ArrayList<>();

    private DshmClientBuilder builder() {
        return DshmClient.builder()
                .endpoints(near.endpoint(), far.endpoint())
                .deadline(Duration.ofSeconds(20))
                .listener(events::add);
    }

    private DshmClient open(DshmClientBuilder builder) {
        DshmClient client = builder.build();
        clients.add(client);
        return client;
    }

    /** One whose calls go to the near node: a slow machine may have connected to the far one first. */
    private DshmClient openNear(DshmClientBuilder builder) throws InterruptedException {
        DshmClient client = open(builder);
        client.info().join();
        await(near, NodeEvent.State.CHOSEN);
        return client;
    }

    @AfterEach
    void close() throws IOException {
        clients.forEach(client -> client.close(Duration.ZERO));
        near.close();
        far.close();
    }

    private NodeEvent await(FakeNode node, NodeEvent.State state) throws InterruptedException {
        while (true) {
            NodeEvent event = events.poll(20, TimeUnit.SECONDS);
            assertTrue(event != null, "no " + state);
            if (event.state() == state && event.node().equals(node.endpoint())) {
                return event;
            }
        }
    }

    private static <T extends Throwable> T failure(Class<T> kind, CompletableFuture<?> future) {
        return assertInstanceOf(
                kind, assertThrows(CompletionException.class, future::join).getCause());
    }

    private static boolean is(Command command, Class<? extends Command> kind) {
        return kind.isInstance(command instanceof Command.Identified identified ? identified.write() : command);
    }

    private static <T> CompletableFuture<Void> all(List<CompletableFuture<T>> calls) {
        return CompletableFuture.allOf(calls.toArray(new CompletableFuture<?>[0]));
    }

    @Test
    void a_thread_that_waits_gets_what_it_has_stored() throws Exception {
        DshmBlocking store = openNear(builder()).blocking();

        store.set("a:b c", "värdë", Duration.ofMinutes(1));

        assertEquals(Optional.of("värdë"), store.getText("a:b c"));
        assertArrayEquals("värdë".getBytes(UTF_8), store.get("a:b c").orElseThrow());
        assertEquals(Optional.empty(), store.get("absent"));
        assertEquals(1, store.incr("n", 1));
        assertTrue(near.received.stream()
                .anyMatch(command ->
                        command instanceof Command.Get get && get.key().equals(Key.of("a:b%20c"))));
    }

    @Test
    void many_calls_of_many_threads_share_two_connections() throws Exception {
        DshmClient client = openNear(builder().outstanding(100_000));
        List<CompletableFuture<Long>> calls = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            calls.add(client.incr("n", 1));
        }
        all(calls).join();

        assertEquals(20_000, store.count(N));
        assertEquals(2, near.accepted());
        assertEquals(0, far.accepted());
    }

    @Test
    void a_write_whose_reply_was_lost_is_repeated_on_another_node_and_counts_once() throws Exception {
        DshmClient client = openNear(builder());
        client.incr("n", 1).join();
        AtomicBoolean lost = new AtomicBoolean();
        near.script(command -> {
            if (is(command, Command.Incr.class) && lost.compareAndSet(false, true)) {
                store.apply(command);
                return FakeNode.CLOSES;
            }
            return null;
        });

        assertEquals(2, client.incr("n", 1).join());

        assertEquals(2, store.count(N));
        assertEquals(1, store.repeats());
    }

    @Test
    void a_refusal_of_a_later_copy_by_the_node_alone_says_nothing_about_the_first_one() throws Exception {
        DshmClient client = openNear(builder());
        client.incr("n", 1).join();
        near.script(command -> {
            if (is(command, Command.Incr.class)) {
                store.apply(command);
                return FakeNode.CLOSES;
            }
            return null;
        });
        far.script(command -> is(command, Command.Incr.class) ? new Reply.Failure(ErrorCode.DISK_FULL, null) : null);

        CompletionException why = assertThrows(
                CompletionException.class, () -> client.incr("n", 1).join());

        assertInstanceOf(UnknownOutcomeException.class, why.getCause());
        assertEquals(2, store.count(N));
    }

    @Test
    void connections_that_break_all_the_time_lose_and_double_nothing() throws Exception {
        DshmClient client = openNear(builder());
        AtomicInteger seen = new AtomicInteger();
        near.script(command -> {
            boolean breaks = is(command, Command.Incr.class) && seen.incrementAndGet() % 97 == 0;
            if (breaks) {
                store.apply(command);
            }
            return breaks ? FakeNode.CLOSES : null;
        });
        List<CompletableFuture<Long>> calls = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            calls.add(client.incr("n", 1));
        }
        all(calls).join();

        assertEquals(5_000, store.count(N));
        assertTrue(store.repeats() > 0);
    }

    /** {@code -Ddshm.test.reconnects=5000} is what a week with a lost connection every two minutes brings. */
    @Test
    @Timeout(300)
    void very_many_reconnects_lose_and_double_nothing_and_leave_nothing_behind() {
        DshmClient client = open(builder());
        int times = Integer.getInteger("dshm.test.reconnects", 30);
        long sum = 0;
        for (int i = 0; i < times; i++) {
            List<CompletableFuture<Long>> calls = new ArrayList<>();
            for (int each = 0; each < 20; each++) {
                calls.add(client.incr("n", 1));
            }
            near.drop();
            far.drop();
            all(calls).join();
            sum += calls.size();
            assertEquals(sum, store.count(N));
        }
        assertEquals(0, client.outstanding());
        assertTrue(near.connections() + far.connections() <= 4);
    }

    @Test
    void a_write_that_cannot_have_an_identity_is_not_repeated() throws Exception {
        DshmClient client = openNear(builder());
        near.script(command -> is(command, Command.FlushAll.class) ? FakeNode.CLOSES : null);

        UnknownOutcomeException failure = failure(UnknownOutcomeException.class, client.flushAll(""));

        assertTrue(failure.mayHaveTakenEffect());
        assertFalse(far.received.stream().anyMatch(command -> is(command, Command.FlushAll.class)));
    }

    @Test
    void an_error_that_says_not_applied_is_tried_again_elsewhere_and_not_marked_as_a_repeat() throws Exception {
        DshmClient client = openNear(builder());
        near.script(command -> is(command, Command.Incr.class) ? new Reply.Failure(ErrorCode.NO_LEADER, null) : null);

        assertEquals(1, client.incr("n", 1).join());

        assertEquals(0, store.repeats());
        await(near, NodeEvent.State.UNWELL);
        assertTrue(far.received.stream()
                .anyMatch(command -> command instanceof Command.Identified write
                        && write.write() instanceof Command.Incr
                        && !write.retry()));
    }

    @Test
    void a_timeout_is_asked_again_by_its_identity() throws Exception {
        DshmClient client = openNear(builder());
        AtomicBoolean first = new AtomicBoolean(true);
        near.script(command -> {
            if (is(command, Command.Incr.class) && first.getAndSet(false)) {
                store.apply(command);
                return new Reply.Failure(ErrorCode.TIMEOUT, null);
            }
            return null;
        });

        assertEquals(1, client.incr("n", 1).join());
        assertEquals(1, store.count(N));
    }

    @Test
    void errors_say_what_to_do() throws Exception {
        DshmClient client = openNear(builder());
        near.script(command -> is(command, Command.Incr.class) ? new Reply.Failure(ErrorCode.OVERFLOW, null) : null);
        assertEquals(
                Optional.of(ErrorCode.OVERFLOW),
                failure(InvalidCallException.class, client.incr("n", 1)).code());

        near.script(
                command -> is(command, Command.Incr.class) ? new Reply.Failure(ErrorCode.OUT_OF_MEMORY, null) : null);
        failure(UnavailableException.class, client.incr("n", 1));

        near.script(
                command -> is(command, Command.Incr.class) ? new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, null) : null);
        failure(UnknownOutcomeException.class, client.incr("n", 1));

        near.script(command -> is(command, Command.Incr.class) ? new Reply.Value("abc".getBytes(UTF_8)) : null);
        failure(InvalidCallException.class, client.incr("n", 1));
        assertThrows(InvalidCallException.class, () -> client.blocking().incr("n", 1));
    }

    @Test
    void a_call_goes_to_the_nearest_node_and_comes_back_to_it() throws Exception {
        DshmClient client = open(builder());
        client.incr("n", 1).join();
        await(near, NodeEvent.State.CHOSEN);

        near.stop();
        client.incr("n", 1).join();
        await(near, NodeEvent.State.DOWN);
        await(far, NodeEvent.State.CHOSEN);

        near.startAgain();
        await(near, NodeEvent.State.CHOSEN);
        near.received.clear();
        client.incr("n", 1).join();
        assertTrue(near.received.stream().anyMatch(command -> is(command, Command.Incr.class)));
        assertEquals(3, store.count(N));
    }

    @Test
    void a_node_that_stands_still_is_noticed_and_harms_only_itself() throws Exception {
        DshmClient client = openNear(builder().stallTimeout(Duration.ofMillis(300)));
        client.incr("n", 1).join();
        near.freeze();

        assertEquals(2, client.incr("n", 1).join());
        assertEquals("2", client.getText("n").join().orElseThrow());

        await(near, NodeEvent.State.STALLED);
    }

    @Test
    void a_write_that_takes_long_is_no_reason_to_leave_a_node_that_lives() throws Exception {
        DshmClient client = openNear(builder().stallTimeout(Duration.ofMillis(300)));
        CountDownLatch asked = new CountDownLatch(1);
        near.script(command -> {
            if (is(command, Command.Incr.class)) {
                awaitPings(asked);
            }
            if (command == Command.Ping.PING) {
                pings.incrementAndGet();
            }
            return null;
        });

        assertEquals(1, client.incr("n", 1).join());

        assertFalse(events.stream().anyMatch(event -> event.state() == NodeEvent.State.STALLED));
        assertEquals(0, store.repeats());
    }

    private final AtomicInteger pings = new AtomicInteger();

    /** Holds this connection until the node was asked on the other one, so often that it would have been given up. */
    private void awaitPings(CountDownLatch never) {
        try {
            while (pings.get() < 4) {
                assertFalse(never.await(1, TimeUnit.MILLISECONDS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void after_its_deadline_nothing_of_a_call_is_sent() throws Exception {
        near.stop();
        far.stop();
        DshmClient client = open(builder());
        UnavailableException failure = failure(
                UnavailableException.class,
                client.withDeadline(Duration.ofMillis(50)).incr("n", 1));
        assertFalse(failure.mayHaveTakenEffect());
        assertEquals(0, client.outstanding());

        near.startAgain();
        client.incr("n", 10).join();

        assertEquals(10, store.count(N));
        assertEquals(
                1,
                near.received.stream()
                        .filter(command -> is(command, Command.Incr.class))
                        .count());
    }

    @Test
    void what_the_socket_has_not_taken_by_its_deadline_is_never_sent() throws Exception {
        DshmClient client = openNear(builder().stallTimeout(Duration.ofSeconds(20)));
        client.incr("n", 1).join();
        near.freeze();
        // More than the buffers of both sockets take, so that the rest waits here.
        CompletableFuture<Void> large = client.set("large", new byte[30 * 1024 * 1024], Duration.ZERO);
        CompletableFuture<Long> behind =
                client.withDeadline(Duration.ofMillis(200)).incr("n", 100);

        failure(DshmException.class, behind);
        near.thaw();
        large.join();

        assertEquals(1, store.count(N));
    }

    @Test
    void a_write_under_way_at_its_deadline_is_unknown_and_a_read_is_not() throws Exception {
        DshmClient client = openNear(builder());
        client.incr("n", 1).join();
        near.freeze();
        DshmClient hasty = client.withDeadline(Duration.ofMillis(100));
        CompletableFuture<Long> write = hasty.incr("n", 1);
        CompletableFuture<Optional<byte[]>> read = hasty.get("n");

        failure(UnknownOutcomeException.class, write);
        failure(UnavailableException.class, read);
    }

    @Test
    void a_full_queue_refuses_at_once_and_has_room_again() throws Exception {
        DshmClient client = openNear(builder().outstanding(100));
        client.incr("n", 1).join();
        near.freeze();
        List<CompletableFuture<Long>> calls = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            calls.add(client.incr("n", 1));
        }
        CompletableFuture<Long> more = client.incr("n", 1);
        assertTrue(more.isDone());
        failure(UnavailableException.class, more);

        near.thaw();
        all(calls).join();
        assertEquals(102, client.incr("n", 1).join());
    }

    @Test
    void a_full_queue_lets_threads_wait_if_told_so() throws Exception {
        DshmClient client = openNear(builder().outstanding(50).waitForRoom(true));
        List<CompletableFuture<Long>> calls = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            calls.add(client.incr("n", 1));
            assertTrue(client.outstanding() <= 50);
        }
        all(calls).join();
        assertEquals(5_000, store.count(N));
    }

    @Test
    void a_queue_is_full_by_bytes_too() throws Exception {
        DshmClient client = openNear(builder().outstandingBytes(1024 * 1024));
        failure(InvalidCallException.class, client.set("k", new byte[2 * 1024 * 1024], Duration.ZERO));
        client.incr("n", 1).join();
        near.freeze();
        CompletableFuture<Void> first = client.set("k", new byte[900 * 1024], Duration.ZERO);
        failure(UnavailableException.class, client.set("k", new byte[900 * 1024], Duration.ZERO));
        near.thaw();
        first.join();
    }

    @Test
    void what_is_cancelled_before_it_was_sent_is_not_sent_and_frees_its_room() throws Exception {
        near.stop();
        far.stop();
        DshmClient client = open(builder().outstanding(1));
        CompletableFuture<Long> call = client.incr("n", 1);
        assertTrue(call.cancel(false));
        near.startAgain();
        // Room is free a moment later, on the event loop: this one waits for it.
        Long sum = null;
        while (sum == null) {
            sum = client.incr("n", 10).handle((value, failure) -> value).join();
        }
        assertEquals(10, store.count(N));
    }

    @Test
    void a_read_is_hedged_on_request() throws Exception {
        DshmClient client = openNear(builder());
        client.set("k", "v", Duration.ZERO).join();
        DshmClient hedged = client.withHedging(Duration.ofMillis(20));
        near.freeze();
        // The second node is connected to on the way; a read that came before that is not hedged.
        assertEquals(
                "v",
                CompletableFuture.supplyAsync(() -> hedgedUntilAnswered(hedged)).join());
    }

    private String hedgedUntilAnswered(DshmClient hedged) {
        while (true) {
            Optional<String> value = hedged.withDeadline(Duration.ofMillis(200))
                    .getText("k")
                    .handle((found, failure) -> failure == null ? found : Optional.<String>empty())
                    .join();
            if (value.isPresent()) {
                return value.get();
            }
        }
    }

    @Test
    void credentials_go_first_on_each_connection() {
        near.auth = "AUTH us%20er s%3Aecret";
        DshmClient client = open(builder().credentials("us er", "s:ecret"));
        assertEquals(1, client.incr("n", 1).join());
    }

    @Test
    void a_wrong_secret_fails_at_once_and_is_told() throws Exception {
        near.auth = "AUTH user right";
        far.auth = near.auth;
        DshmClient client = open(builder().credentials("user", "wrong"));

        InvalidCallException failure = failure(InvalidCallException.class, client.incr("n", 1));

        assertTrue(String.valueOf(failure.getMessage()).contains("denied"), failure.toString());
        assertFalse(String.valueOf(failure.getMessage()).contains("wrong"), failure.toString());
        await(near, NodeEvent.State.DENIED);
        assertEquals(0, store.count(N));
    }

    @Test
    void a_node_that_denies_fails_no_calls_while_one_that_does_not_is_away() throws Exception {
        near.auth = "AUTH user right";
        far.auth = near.auth;
        DshmClient client =
                open(builder().endpoints(far.endpoint(), near.endpoint()).credentials("user", "right"));
        client.incr("n", 1).join();
        await(far, NodeEvent.State.CHOSEN);
        near.auth = "AUTH user other";
        near.drop();
        far.stop();

        CompletableFuture<Long> call = client.incr("n", 1);
        await(near, NodeEvent.State.DENIED);
        assertFalse(client.info().isDone());
        far.startAgain();

        assertEquals(2, call.join());
    }

    @Test
    void a_node_that_cannot_authenticate_anybody_now_is_asked_again() throws Exception {
        near.auth = "AUTH user secret";
        near.refusal = "no_leader";
        DshmClient client = open(builder().endpoints(near.endpoint()).credentials("user", "other"));
        CompletableFuture<Long> call = client.incr("n", 1);
        assertTrue(await(near, NodeEvent.State.DOWN).reason().contains("no_leader"));
        near.auth = "AUTH user other";

        assertEquals(1, call.join());
    }

    private static boolean isTouchOfStrangers(Command command) {
        return is(command, Command.Touch.class);
    }

    @Test
    void who_has_rights_in_one_region_only_makes_itself_known_there() throws Exception {
        DshmClient client = openNear(builder());
        near.script(command -> isTouchOfStrangers(command) || isReleaseIn("denied::", command) ? denied() : null);

        CompletableFuture<Long> elsewhere = client.incr("denied::n", 1);
        CompletableFuture<Long> allowed = client.incr("r::n", 1);

        assertEquals(
                Optional.of(ErrorCode.DENIED),
                failure(InvalidCallException.class, elsewhere).code());
        assertEquals(1, allowed.join());
        assertEquals(2, client.incr("r::n", 1).join());
        assertEquals(
                1,
                near.received.stream()
                        .filter(DshmClientTest::isTouchOfStrangers)
                        .count());
        assertEquals(0, client.outstanding());
    }

    private static boolean isReleaseIn(String region, Command command) {
        return command instanceof Command.Identified identified
                && identified.write() instanceof Command.Release release
                && release.key().toString().startsWith(region);
    }

    private static Reply denied() {
        return new Reply.Failure(ErrorCode.DENIED, null);
    }

    @Test
    void a_name_is_looked_up_for_each_connection() throws Exception {
        List<String> asked = new ArrayList<>();
        DshmClient client =
                open(builder().endpoints("first.test:" + near.port()).resolver(host -> {
                    asked.add(host);
                    // The name moves: at first nobody is there.
                    return List.of(InetAddress.getByName(asked.size() == 1 ? "127.1.2.3" : "127.0.0.1"));
                }));
        assertEquals(1, client.incr("n", 1).join());
        assertEquals(List.of("first.test", "first.test"), asked);
    }

    @Test
    void a_close_waits_for_outcomes_and_takes_no_more_calls() throws Exception {
        DshmClient client = openNear(builder());
        List<CompletableFuture<Long>> calls = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            calls.add(client.incr("n", 1));
        }
        client.close();
        assertTrue(calls.stream().allMatch(call -> call.isDone() && !call.isCompletedExceptionally()));
        failure(UnavailableException.class, client.incr("n", 1));
        await(near, NodeEvent.State.CLOSED);
        client.close();
    }

    @Test
    void a_close_at_once_ends_every_call() throws Exception {
        DshmClient client = openNear(builder());
        client.incr("n", 1).join();
        near.freeze();
        CompletableFuture<Long> underWay = client.incr("n", 1);
        client.close(Duration.ZERO);
        failure(DshmException.class, underWay);
    }

    @Test
    void the_event_loop_does_not_wait_for_itself() throws Exception {
        DshmClient client = openNear(builder());
        client.incr("n", 1).join();
        near.freeze();
        CompletableFuture<Long> nested =
                client.incr("n", 1).thenApply(sum -> client.blocking().incr("n", 1));
        near.thaw();
        failure(IllegalStateException.class, nested);
    }

    @Test
    void an_observer_sees_each_call_from_its_beginning_to_its_end() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        DshmClient client = openNear(builder()
                .observer(verb -> (failure, attempts) -> seen.add(verb + " " + (failure == null) + " " + attempts)));
        client.incr("n", 1).join();
        assertEquals("INFO true 1", seen.take());
        assertEquals("INCR true 1", seen.take());
        near.script(command -> is(command, Command.Touch.class) ? new Reply.Failure(ErrorCode.TOO_LARGE, null) : null);
        failure(InvalidCallException.class, client.touch("n", Duration.ZERO));
        assertEquals("TOUCH false 1", seen.take());
    }
}
