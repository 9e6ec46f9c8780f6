package io.dshm.server.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dshm.proto.Algorithm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A history's file. */
class HistoryTest {

    private static final Action.Take TAKE = new Action.Take("s:t", Algorithm.GCRA, 1, 2, 3, 4, false);

    private static final List<Operation> ONE_OF_EACH = List.of(
            operation(-5, 0, new Action.Get("r:k", Action.ReadMode.LOCAL), new Result.NotFound()),
            operation(1, 2, new Action.Get("r:k", Action.ReadMode.LINEARIZABLE), new Result.Value("")),
            operation(2, 2, new Action.Set("r:k", "a b%\n\u00e9->", 5), new Result.Value("a b%\n\u00e9->")),
            operation(3, 1_234_567_890_123L, new Action.Delete("r:k"), new Result.Done()),
            operation(4, 5, new Action.Touch("r:k", Long.MAX_VALUE), new Result.NotApplied("busy")),
            operation(5, Operation.NEVER, new Action.Incr("r:k", -1, 2, 3), new Result.Unknown("connection reset")),
            operation(6, 7, new Action.RateLimiter("r:l", 1, 2), new Result.Value("-1")),
            operation(8, 9, new Action.Flush(""), new Result.Done()),
            operation(9, 9, new Action.Flush("r"), new Result.Done()),
            operation(10, 11, TAKE, new Result.Value("1 0 5")),
            operation(12, 13, new Action.Acquire("s:p", 1, "h 1", 2), new Result.Value("7")));

    private static final List<Operation> MORE_OF_LIMITS = List.of(
            operation(14, 15, new Action.Take("s:t", Algorithm.LOG, 1, 2, 0, -4, true), new Result.Value("1 0 5")),
            operation(16, 17, new Action.Reserve(TAKE, "h 2", 3), new Result.Value("1 0 5")),
            operation(18, 19, new Action.Settle("s:t", "h 2", 3), new Result.NotApplied("not_found")),
            operation(20, 21, new Action.Grant(TAKE, "h 3", 3), new Result.Value("4")),
            operation(22, 23, new Action.Return("s:t", "h 3", 3), new Result.Done()),
            operation(24, 25, new Action.Release("s:p", "h 1"), new Result.Done()));

    private static Operation operation(long invoked, long completed, Action action, Result result) {
        return new Operation(3, "node 1", action, invoked, completed, result);
    }

    @Test
    void what_is_written_is_read_back(@TempDir Path folder) throws IOException {
        History history = new History();
        history.note("seed 42");
        history.note("");
        List<Operation> all =
                Stream.concat(ONE_OF_EACH.stream(), MORE_OF_LIMITS.stream()).toList();
        all.forEach(history::add);
        Path file = folder.resolve("history");
        history.write(file);
        History read = History.read(file);
        assertEquals(all, read.operations());
        assertEquals(List.of("seed 42", ""), read.notes());
        assertEquals(history.lines(), read.lines());
    }

    @Test
    void lines_are_for_people() {
        assertEquals(
                "3 node%00201 0.000005 never INCR r:k -1 2 3 -> UNKNOWN connection%0020reset",
                OperationText.write(ONE_OF_EACH.get(5)));
    }

    @Test
    void what_is_no_operation_is_refused_with_its_line() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> History.read(List.of("1 n1 0 1 GET k -> DONE")));
        assertEquals("not an operation: 1 n1 0 1 GET k -> DONE", refused.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new History().note("two\nlines"));
    }

    @Test
    void operations_are_in_the_order_of_their_invocation_and_flushes_with_each_key() {
        History history = new History();
        for (int i = ONE_OF_EACH.size() - 1; i >= 0; i--) {
            history.add(ONE_OF_EACH.get(i));
        }
        assertEquals(ONE_OF_EACH, history.operations());
        Operation flush = ONE_OF_EACH.get(8);
        List<Operation> ofKey = ONE_OF_EACH.subList(0, 6);
        Map<String, List<Operation>> byKey = Map.of(
                "r:k",
                concat(ofKey, flush),
                "r:l",
                List.of(ONE_OF_EACH.get(6), flush),
                "s:t",
                List.of(ONE_OF_EACH.get(9)),
                "s:p",
                List.of(ONE_OF_EACH.get(10)));
        assertEquals(byKey, history.byKey());
    }

    private static List<Operation> concat(List<Operation> operations, Operation last) {
        List<Operation> all = new ArrayList<>(operations);
        all.add(last);
        return all;
    }
}
