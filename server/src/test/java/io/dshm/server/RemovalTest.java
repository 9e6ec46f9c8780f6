package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.NoMemberException;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemovalTest {

    private final Removal removal = new Removal("n9");

    /** Of n1, n2, ...: {@code d} denies that this node is a member, {@code a} answers as to a member, {@code s} is silent. */
    private static Map<String, CompletableFuture<StatusReply>> answers(String others) {
        Map<String, CompletableFuture<StatusReply>> answers = new TreeMap<>();
        for (int i = 0; i < others.length(); i++) {
            String name = "n" + (i + 1);
            answers.put(
                    name,
                    switch (others.charAt(i)) {
                        case 'd' -> CompletableFuture.failedFuture(new NoMemberException(name));
                        case 's' -> CompletableFuture.failedFuture(new IOException("no answer"));
                        default -> CompletableFuture.completedFuture(StatusReply.getDefaultInstance());
                    });
        }
        return answers;
    }

    @ParameterizedTest
    @CsvSource({"dd", "d", "ddd", "ddda", "ddds"})
    void a_majority_says_that_it_was_removed(String others) {
        removal.judge(answers(others));
        assertTrue(removal.isRemoved());
        String problem = removal.problem();
        assertNotNull(problem);
        assertTrue(problem.startsWith("n9 was removed from the cluster: n1"), problem);
    }

    @ParameterizedTest
    @CsvSource({"da", "ds", "aa", "ss", "dds", "ddaa", "ddss"})
    void fewer_are_not_believed(String others) {
        removal.judge(answers(others));
        assertFalse(removal.isRemoved());
    }

    @Test
    void what_was_said_holds_until_somebody_takes_it_for_a_member() {
        removal.judge(answers("dd"));
        String said = removal.problem();
        removal.onLeadership(new Leadership(7, null, false));
        removal.judge(answers("ss"));
        assertEquals(said, removal.problem());
        removal.judge(answers("as"));
        assertNull(removal.problem());
        removal.judge(answers("dd"));
        removal.onLeadership(new Leadership(8, "n1", false));
        assertNull(removal.problem());
    }
}
