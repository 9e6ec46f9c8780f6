package io.dshm.server.history;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether what was evicted stays away, where a value may go at any time: a key with SET calls whose values never come twice, and reads. A
 * linearizable read that found nothing shows that every value that was stored before it is gone, for all that follow it. In time n².
 *
 * <p>What such reads found is judged as everywhere: by a history {@linkplain #withoutMisses without those that found nothing}.
 */
public final class EvictionChecker {

    private EvictionChecker() {}

    /** The operations without the reads that found nothing. */
    public static List<Operation> withoutMisses(List<Operation> operations) {
        return operations.stream()
                .filter(operation -> !(operation.result() instanceof Result.NotFound))
                .toList();
    }

    /** What is wrong, or null. */
    public static @Nullable Violation checkKey(List<Operation> operations) {
        Map<String, Operation> stored = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.action() instanceof Action.Set set) {
                stored.put(set.value(), operation);
            }
        }
        List<Operation> reads = operations.stream()
                .filter(operation ->
                        operation.action() instanceof Action.Get get && get.mode() == Action.ReadMode.LINEARIZABLE)
                .toList();
        for (Operation miss : reads) {
            if (!(miss.result() instanceof Result.NotFound)) {
                continue;
            }
            for (Operation hit : reads) {
                if (hit.invokedNanos() > miss.completedNanos() && hit.result() instanceof Result.Value value) {
                    Operation set = stored.get(value.value());
                    if (set != null && set.completedNanos() < miss.invokedNanos()) {
                        return Violation.of("a value was gone, and came back", List.of(set, miss, hit));
                    }
                }
            }
        }
        return null;
    }
}
