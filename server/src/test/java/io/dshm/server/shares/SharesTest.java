package io.dshm.server.shares;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a node holds of a limit, when it spends that, and what it gives back. */
class SharesTest {

    private static final long MILLI = 1_000_000;
    private static final Policy LARGE = new Policy(Algorithm.FIXED, 1_000_000, 60_000);

    private final Random random = new Random(7);

    /** Asks so often, evenly, for that long. */
    private static void ask(LimitedKey key, LimitedKey.Node node, int perSecond, long millis) {
        for (long taken = 0; taken < perSecond * millis / 1_000; taken++) {
            node.take(1);
            key.pass(1_000 * MILLI / perSecond);
        }
    }

    @Test
    void a_hot_key_costs_at_most_one_record_in_a_hundred_decisions() {
        for (Algorithm algorithm : List.of(Algorithm.FIXED, Algorithm.LOG, Algorithm.COUNTER, Algorithm.GCRA)) {
            LimitedKey key = new LimitedKey(new Policy(algorithm, 200_000, 60_000));
            LimitedKey.Node node = key.new Node(1);
            ask(key, node, 2_000, 70_000);
            assertTrue(
                    key.records.size() * 100L <= node.decided,
                    algorithm + ": " + key.records.size() + " records, " + node.decided + " decisions");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Algorithm.class,
            names = {"FIXED", "LOG", "COUNTER", "GCRA"})
    void with_skewed_demand_almost_all_of_the_limit_can_be_used_and_never_more(Algorithm algorithm) {
        long limit = 5_000;
        long period = 10_000;
        LimitedKey key = new LimitedKey(
                algorithm == Algorithm.GCRA
                        ? new Policy(algorithm, limit, period, limit / 10)
                        : new Policy(algorithm, limit, period));
        List<LimitedKey.Node> nodes = List.of(key.new Node(1), key.new Node(2), key.new Node(3));
        long start = key.millis();
        for (int i = 0; i < 60_000; i++) {
            int place = random.nextInt(100);
            nodes.get(place < 90 ? 0 : place < 99 ? 1 : 2).take(1);
            key.pass(MILLI / 2);
        }
        for (long from = start; from < start + 3 * period; from += period) {
            long admitted = key.admittedIn(from, from + period);
            assertTrue(admitted >= limit * 95 / 100, admitted + " of " + limit + " admitted since " + (from - start));
            if (algorithm == Algorithm.FIXED) {
                assertTrue(admitted <= limit, admitted + " of " + limit);
            }
        }
        if (algorithm == Algorithm.LOG) {
            assertTrue(key.mostInAWindow() <= limit, key.mostInAWindow() + " of " + limit);
        }
        assertTrue(nodes.get(0).fromShare > 0);
    }

    @Test
    void it_is_counted_who_decided_and_what_came_of_requests_for_shares() {
        LimitedKey key = new LimitedKey(new Policy(Algorithm.FIXED, 100, 60_000));
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 100, 2_000);
        ShareCounts counts = node.shares.counts();
        assertEquals(node.fromShare, counts.takenByShare());
        assertEquals(node.decided - node.fromShare, counts.takenByLog());
        assertEquals(grants(key).size(), counts.grantsGranted() + counts.grantsRefused() + counts.grantsFailed());
        assertTrue(counts.grantsGranted() > 0, "granted");
        assertTrue(counts.grantsRefused() > 0, "refused once all is used");
        assertEquals(0, counts.grantsFailed());

        key.answers = false;
        LimitedKey.Node other = key.new Node(2);
        ask(key, other, 100, 500);
        assertTrue(other.shares.counts().grantsFailed() > 0, "failed");
    }

    @Test
    void what_is_not_needed_goes_back() {
        LimitedKey key = new LimitedKey(LARGE);
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 1_000, 12_000);
        assertTrue(node.fromShare > 11_000, node.fromShare + " from shares");
        assertTrue(key.remaining() < LARGE.limit() - key.admitted.size(), "a share is held");
        key.pass(10_000 * MILLI);
        assertEquals(LARGE.limit() - key.admitted.size(), key.remaining());
        assertEquals(0, node.shares.size(), "keys that it knows");
    }

    @Test
    void a_share_grows_and_shrinks_with_the_demand() {
        LimitedKey key = new LimitedKey(LARGE);
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 100, 20_000);
        long small = lastGranted(key);
        ask(key, node, 2_000, 20_000);
        long large = lastGranted(key);
        ask(key, node, 100, 20_000);
        assertTrue(large > 10 * small, small + ", then " + large);
        assertTrue(lastGranted(key) < large / 10, large + ", then " + lastGranted(key));
    }

    private static long lastGranted(LimitedKey key) {
        List<Command.Grant> grants = grants(key);
        return grants.get(grants.size() - 1).take().cost();
    }

    private static List<Command.Grant> grants(LimitedKey key) {
        List<Command.Grant> grants = new ArrayList<>();
        key.records.forEach(record -> {
            if (record instanceof Command.Grant grant) {
                grants.add(grant);
            }
        });
        return grants;
    }

    @Test
    void no_two_shares_have_the_same_holder() {
        LimitedKey key = new LimitedKey(LARGE);
        ask(key, key.new Node(1), 2_000, 20_000);
        ask(key, key.new Node(2), 2_000, 20_000);
        List<Key> holders = grants(key).stream().map(Command.Grant::holder).toList();
        assertTrue(holders.size() > 5, holders.size() + " shares");
        assertEquals(holders.size(), holders.stream().distinct().count());
    }

    @Test
    void a_rare_key_is_decided_by_the_log() {
        LimitedKey key = new LimitedKey(LARGE);
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 5, 20_000);
        assertEquals(0, node.fromShare);
        assertEquals(List.of(), grants(key));
    }

    @Test
    void near_the_limit_the_log_decides() {
        LimitedKey key = new LimitedKey(new Policy(Algorithm.FIXED, 40, 60_000));
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 100, 5_000);
        assertEquals(40, key.admitted.size());
        long before = node.fromShare;
        ask(key, node, 100, 1_000);
        assertEquals(before, node.fromShare);
    }

    @Test
    void what_a_share_cannot_decide_goes_to_the_log() {
        LimitedKey key = new LimitedKey(LARGE);
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 1_000, 2_000);
        assertTrue(node.take(1));
        assertFalse(node.take(0), "a look");
        assertFalse(node.take(-1), "a refund");
        assertFalse(node.take(900_000), "more than it has");
        Policy other = new Policy(Algorithm.FIXED, 9, 60_000);
        assertEquals(null, node.shares.take(new Command.Take(LimitedKey.KEY, other, null, 1, false, true), 0));
    }

    @Test
    void a_share_is_not_used_after_its_life_here() {
        LimitedKey key = new LimitedKey(new Policy(Algorithm.LOG, 1_000_000, 60_000));
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 1_000, 100);
        key.answers = false;
        key.pass(20 * MILLI);
        assertTrue(node.take(1));
        // 6 s of life, as the log counts it, from when it was asked for.
        node.aheadNanos = 5_000 * MILLI;
        assertFalse(node.take(1), "after 5/6 of it, less " + BootTime.ERROR_MILLIS + " ms");
    }

    @Test
    void how_long_a_share_is_used() {
        Share share = new Share(Key.of("h"), 10, 100, 90, 60_000, 1_000 * MILLI, 6_000);
        assertFalse(share.isOver((1_000 + 4_974) * MILLI));
        assertTrue(share.isOver((1_000 + 4_975) * MILLI));
        assertTrue(
                new Share(Key.of("h"), 10, 100, 90, 60_000, 1_000 * MILLI, 10).isOver(1_000 * MILLI),
                "shorter than the margin");
    }

    @Test
    void all_goes_back_when_the_node_stops() {
        LimitedKey key = new LimitedKey(LARGE);
        LimitedKey.Node node = key.new Node(1);
        ask(key, node, 1_000, 3_000);
        node.shares.close();
        assertFalse(node.take(1));
        key.pass(5 * MILLI);
        assertEquals(LARGE.limit() - key.admitted.size(), key.remaining());
    }

    @Test
    void a_decision_says_what_take_says() {
        Share share = new Share(Key.of("h"), 10, 100, 50, 60_000, 0, 6_000);
        share.spend(3);
        assertEquals(
                "allowed=1 limit=100 remaining=57 reset=60000 retry=0",
                ((Reply.Detailed) share.decision(false)).details());
        assertEquals(
                "allowed=1 limit=100 remaining=57 reset=60000 retry=0 would=1",
                ((Reply.Detailed) share.decision(true)).details());
    }
}
