package io.dshm.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.statemachine.ClusterClock;
import java.io.IOException;
import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A node that has just started is elected, and asks the others for the time. */
class RolesTest {

    private static final long WALL = 5_000_000;

    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    private final AtomicLong monotonicMillis = new AtomicLong(1_000);
    private final ClusterClock clock = new ClusterClock(() -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis.get()));
    private final Map<String, CompletableFuture<StatusReply>> asked = new ConcurrentHashMap<>();
    private final BlockingQueue<Leadership> told = new LinkedBlockingQueue<>();
    private volatile boolean timeMatters = true;
    private final AtomicLong logged = new AtomicLong();
    private final AtomicLong loggedWall = new AtomicLong();
    private final Roles roles = new Roles(
            "n1",
            List.of("n2", "n3"),
            clock,
            (node, timeoutMillis) -> question(node),
            executor,
            () -> WALL,
            logged::get,
            loggedWall::get,
            () -> timeMatters,
            told::add);

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    private @Nullable Supplier<Exception> unreachable;

    private CompletableFuture<StatusReply> question(String node) {
        Supplier<Exception> failure = unreachable;
        if (failure != null && node.equals("n3")) {
            return CompletableFuture.failedFuture(failure.get());
        }
        return asked.computeIfAbsent(node, n -> new CompletableFuture<>());
    }

    private void answer(String node, boolean anchored, long clusterTimeMillis) {
        answer(node, anchored, clusterTimeMillis, 0);
    }

    private void answer(String node, boolean anchored, long clusterTimeMillis, long term) {
        question(node).complete(status(anchored, clusterTimeMillis, term));
    }

    private static StatusReply status(boolean anchored, long clusterTimeMillis, long term) {
        return new ClusterClock.Answer(clusterTimeMillis, clusterTimeMillis + 50_000, term, anchored)
                .toStatus()
                .build();
    }

    private Leadership awaitNews() throws InterruptedException {
        return told.take();
    }

    @Test
    void the_time_goes_on_while_another_node_has_not_answered() throws InterruptedException {
        roles.onLeading(1);
        answer("n2", true, 1_000_000);
        monotonicMillis.addAndGet(500);
        question("n3").completeExceptionally(new IOException("down"));
        assertTrue(awaitNews().self());
        assertEquals(1_000_000 + 500 * 11 / 13, clock.stampMillis());
    }

    @Test
    void when_nobody_has_run_on_then_the_wall_clock_says_what_time_it_is() throws InterruptedException {
        roles.onLeading(1);
        answer("n2", false, 0);
        answer("n3", false, 0);
        assertTrue(awaitNews().self());
        assertEquals(WALL, clock.stampMillis());
    }

    @Test
    void when_the_state_was_restored_with_remaining_times_to_live_then_they_go_on_from_there()
            throws InterruptedException {
        logged.set(1_234);
        roles.onLeading(1);
        answer("n2", false, 0);
        answer("n3", false, 0);
        assertTrue(awaitNews().self());
        assertEquals(1_234, clock.stampMillis());
    }

    @Test
    void when_leadership_ends_before_the_time_is_known_then_the_wall_clock_does_not_count()
            throws InterruptedException {
        roles.onLeading(1);
        roles.onLeadingEnded(1, "another one is elected");
        assertFalse(awaitNews().self());
        answer("n2", false, 0);
        answer("n3", false, 0);
        roles.onFollowing("n2", 2);
        awaitExecutor();
        assertEquals(0, clock.stampMillis());
        assertFalse(clock.isAnchored());
    }

    @Test
    void while_a_node_that_may_have_run_on_cannot_be_reached_the_wall_clock_does_not_count()
            throws InterruptedException {
        logged.set(1_000);
        loggedWall.set(WALL - 60_000);
        AtomicInteger rounds = new AtomicInteger();
        answer("n2", false, 0);
        unreachable = () -> {
            if (rounds.incrementAndGet() == 20) {
                monotonicMillis.addAndGet(12_000); // what it holds of limits is over
            }
            return new TimeoutException("cut off");
        };
        roles.onLeading(1);
        assertTrue(awaitNews().self());
        assertEquals(20, rounds.get());
        assertEquals(61_000, clock.stampMillis());
    }

    @Test
    void while_nothing_waits_for_the_time_nobody_is_waited_for() throws InterruptedException {
        timeMatters = false;
        answer("n2", false, 0);
        question("n3").completeExceptionally(new TimeoutException("cut off"));
        roles.onLeading(1);
        assertTrue(awaitNews().self());
        assertEquals(WALL, clock.stampMillis());
    }

    @Test
    void a_node_that_is_down_is_not_waited_for() throws InterruptedException {
        logged.set(1_000);
        loggedWall.set(WALL - 60_000);
        answer("n2", false, 0);
        question("n3").completeExceptionally(new ConnectException("Connection refused: n3/10.0.0.3:7321"));
        roles.onLeading(1);
        assertTrue(awaitNews().self());
        assertEquals(61_000, clock.stampMillis());
    }

    @Test
    void a_new_leader_is_asked_for_the_time_although_this_node_knows_it() throws InterruptedException {
        clock.hear(1_000_000, 1, true);
        answer("n2", true, 999_000, 2);
        roles.onFollowing("n2", 2);
        assertFalse(awaitNews().self());
        question("n2").join();
        awaitExecutor();
        assertEquals(999_000, clock.answer().certainMillis());
        assertEquals(1_000_000, clock.estimateMillis());
    }

    @Test
    void a_new_leader_is_asked_until_it_answers_as_the_leader() throws InterruptedException {
        CompletableFuture<StatusReply> early = question("n2");
        roles.onFollowing("n2", 2);
        asked.clear();
        answer("n2", true, 998_000, 2);
        early.complete(status(true, 1_000_000, 1));
        while (clock.answer().term() < 2) {
            awaitExecutor();
        }
        assertEquals(998_000, clock.answer().certainMillis());
    }

    @Test
    void a_new_leader_that_does_not_know_the_time_itself_is_asked_again() throws InterruptedException {
        clock.hear(1_000_000, 1, true);
        CompletableFuture<StatusReply> early = question("n2");
        roles.onFollowing("n2", 2);
        asked.clear();
        answer("n2", true, 1_003_000, 2);
        early.complete(status(false, 900_000, 2));
        while (clock.answer().term() < 2) {
            awaitExecutor();
        }
        assertEquals(1_003_000, clock.answer().certainMillis());
    }

    @Test
    void where_nothing_waits_for_the_time_another_node_s_estimate_counts() throws InterruptedException {
        timeMatters = false;
        roles.onLeading(1);
        answer("n2", true, 1_000_000);
        question("n3").completeExceptionally(new IOException("down"));
        assertTrue(awaitNews().self());
        assertEquals(1_050_000, clock.stampMillis());
    }

    private void awaitExecutor() {
        CompletableFuture<Void> after = new CompletableFuture<>();
        executor.execute(() -> after.complete(null));
        after.join();
    }

    /** What is warned of when this node is the first to lead again, so long after the last entry. */
    private List<String> warnings(long gapMillis) throws InterruptedException {
        timeMatters = false;
        logged.set(1_000);
        loggedWall.set(WALL - gapMillis);
        Logger logger = (Logger) LoggerFactory.getLogger(Roles.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try {
            answer("n2", false, 0);
            answer("n3", false, 0);
            roles.onLeading(1);
            awaitNews();
        } finally {
            logger.detachAppender(lines);
        }
        return lines.list.stream()
                .filter(line -> line.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    @Test
    void a_gap_of_more_than_a_minute_is_a_warning() throws InterruptedException {
        assertEquals(List.of(Roles.gapWarning(WALL - 60_001, WALL)), warnings(60_001));
    }

    @Test
    void a_clock_that_stands_more_than_a_minute_back_is_a_warning() throws InterruptedException {
        assertEquals(List.of(Roles.gapWarning(WALL + 60_001, WALL)), warnings(-60_001));
    }

    @Test
    void a_gap_of_a_minute_is_no_warning() throws InterruptedException {
        assertEquals(List.of(), warnings(60_000));
    }

    @Test
    void a_gap_is_said_with_both_times() {
        assertEquals(
                "all nodes were down from 1970-01-01T00:00:10Z to 1970-01-01T01:00:10Z: times to live went on by 3600 s."
                        + " Is this machine's clock right?",
                Roles.gapWarning(10_000, 3_610_000));
        assertEquals(
                "the last entry was written at 1970-01-01T01:00:10Z, and this machine's clock says 1970-01-01T00:00:10Z:"
                        + " times to live stood still meanwhile. Is the clock right?",
                Roles.gapWarning(3_610_000, 10_000));
    }
}
