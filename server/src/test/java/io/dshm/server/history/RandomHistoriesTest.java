package io.dshm.server.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.history.SimulatedStore.Mix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random histories of a correct store pass; and of small ones, spoilt or not, brute force thinks the same. */
class RandomHistoriesTest {

    private static final int SMALL_HISTORIES = 2_000;

    private static final List<String> WORDS = List.of("v1", "v2", "v3", "1", "2", "3");

    @ParameterizedTest
    @CsvSource({
        "GGSS, 0, 1",
        "GGSSDF, 0, 1",
        "GGSSDF, 0, 3",
        "GGSSD, 2, 1",
        "GGSSDT, 3, 1",
        "GGSTT, 3, 2",
        "GGI, 0, 1",
        "GID, 0, 1",
        "GII, 2, 1",
        "GGISDT, 2, 1",
        "GIISDTF, 3, 3"
    })
    void small_histories_are_judged_as_by_brute_force(String actions, int ttlMillisMax, int pipelined) {
        long seed = seed();
        Random random = new Random(seed);
        int good = 0;
        int bad = 0;
        for (int i = 0; i < SMALL_HISTORIES; i++) {
            int unknownPercent = random.nextInt(3) * 15;
            Mix mix = new Mix(
                    actions, 2 + random.nextInt(3), 4 + random.nextInt(5), unknownPercent, ttlMillisMax, pipelined);
            List<Operation> operations = SimulatedStore.history(mix, random);
            boolean spoilt = random.nextInt(3) > 0;
            if (spoilt) {
                operations = spoil(operations, random);
            }
            boolean expected = BruteForce.isLinearizable(operations, pipelined > 1);
            Violation found = checker(pipelined > 1).checkKey(operations);
            String text = "repeat with -Ddshm.seed=" + seed + ", history " + i + ":\n" + text(operations);
            assertTrue(expected || spoilt, () -> "brute force refuses a good one; " + text);
            if (isExact(operations) || expected) {
                assertEquals(expected, found == null, () -> found + "\n" + text);
            }
            good += expected ? 1 : 0;
            bad += expected ? 0 : 1;
        }
        int enough = SMALL_HISTORIES / 20;
        assertTrue(good > enough && bad > enough, good + " good ones, " + bad + " bad ones");
    }

    @ParameterizedTest
    @CsvSource({
        "GGSS, 10, 20000, 0, 0, 1",
        "GGSS, 50, 20000, 5, 0, 1",
        "GGGSSDF, 10, 20000, 2, 0, 1",
        "GGGGGGSSSD, 50, 20000, 5, 0, 1",
        "GGGSSD, 10, 20000, 5, 0, 4",
        "GGGGSSSDT, 10, 20000, 2, 5, 1",
        "GGGGSSSDTF, 10, 20000, 5, 50, 1",
        "GGGGSSSDTF, 50, 20000, 5, 50, 1",
        "GI, 10, 20000, 5, 0, 1",
        "GI, 50, 20000, 5, 0, 1",
        "GGGGIIID, 10, 20000, 5, 0, 1",
        "GGGJD, 20, 20000, 2, 500, 1"
    })
    void large_histories_are_judged_in_time(
            String actions, int clients, int count, int unknownPercent, int ttlMillisMax, int pipelined) {
        long seed = seed();
        Mix mix = new Mix(actions, clients, count, unknownPercent, ttlMillisMax, pipelined);
        List<Operation> operations = SimulatedStore.history(mix, new Random(seed));
        Violation found = checker(pipelined > 1).checkKey(operations);
        assertNull(found, () -> "repeat with -Ddshm.seed=" + seed + ": " + found);
    }

    /** Where the checker says itself that it is too generous: a TOUCH of unknown outcome, or one of such a SET. */
    private static boolean isExact(List<Operation> operations) {
        return operations.stream().noneMatch(operation -> operation.action() instanceof Action.Touch)
                || operations.stream()
                        .noneMatch(operation -> operation.result() instanceof Result.Unknown
                                && (operation.action() instanceof Action.Set
                                        || operation.action() instanceof Action.Touch));
    }

    /** Gives one operation another result. */
    private static List<Operation> spoil(List<Operation> operations, Random random) {
        List<Operation> spoilt = new ArrayList<>(operations);
        int at = random.nextInt(operations.size());
        Operation old = operations.get(at);
        Result result = old.result();
        if (old.action() instanceof Action.Get || old.action() instanceof Action.Incr) {
            boolean absent = old.action() instanceof Action.Get && random.nextInt(3) == 0;
            result = absent ? new Result.NotFound() : new Result.Value(WORDS.get(random.nextInt(WORDS.size())));
        }
        long completed = old.completedNanos() == Operation.NEVER ? old.invokedNanos() + 1 : old.completedNanos();
        if (!(result instanceof Result.Unknown)) {
            spoilt.set(
                    at, new Operation(old.client(), old.node(), old.action(), old.invokedNanos(), completed, result));
        }
        return spoilt;
    }

    private static LinearizabilityChecker checker(boolean connectionOrder) {
        return new LinearizabilityChecker(Duration.ZERO, connectionOrder, LinearizabilityChecker.BUDGET);
    }

    private static String text(List<Operation> operations) {
        return String.join("\n", operations.stream().map(OperationText::write).toList());
    }

    private static long seed() {
        return Long.getLong("dshm.seed", System.nanoTime());
    }
}
