package io.dshm.server.statemachine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.Eviction;
import io.dshm.server.store.Entry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is chosen through the log has its tests in {@link RegionLimitTest}. */
class EvictorTest {

    private static final byte[] REGION = "r".getBytes(UTF_8);
    /** One log entry evicts some dozens of such keys. */
    private static final String LONG_KEY = "r::" + "k".repeat(1000);

    private final StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
    private final List<Runnable> searches = new ArrayList<>();
    private final Evictor evictor = new Evictor(stateMachine, searches::add);
    private long version;

    private void write(int number) {
        Key key = Key.of(LONG_KEY + number);
        stateMachine.store().put(key.bytes(), key.hash(), Entry.of(new byte[0], Entry.NEVER, ++version));
    }

    private List<Eviction> choose(long least) {
        List<Eviction> chosen = new ArrayList<>();
        evictor.choose(REGION, least, least, key -> false, chosen);
        return chosen;
    }

    private int search() {
        int count = searches.size();
        searches.forEach(Runnable::run);
        searches.clear();
        return count;
    }

    @Test
    void what_was_written_since_the_search_is_looked_at_once_also_if_too_little_can_be_evicted() {
        int entries = 400;
        int written = 320;
        for (int i = 0; i < entries; i++) {
            write(i);
        }
        assertEquals(List.of(), choose(1));
        assertEquals(1, search());
        for (int i = 0; i < written; i++) {
            write(i);
        }
        assertTrue((entries - written) * LONG_KEY.length() > Limits.EVICTIONS_BYTES_MAX);
        assertEquals(List.of(), choose(Long.MAX_VALUE));
        assertEquals(1, search(), "less than a quarter is left of what was found");
        List<Eviction> oldest = choose(1);
        assertEquals(LONG_KEY + written, oldest.get(0).getKey().toStringUtf8());
        assertEquals(0, search());
    }

    @Test
    void an_entry_whose_key_is_longer_than_those_of_an_entry_of_the_log_may_be_is_evicted_alone() {
        Key longest = Key.of("r::" + "k".repeat(Limits.LONG_KEY_BYTES_MAX - 3));
        stateMachine.store().put(longest.bytes(), longest.hash(), Entry.of(new byte[0], Entry.NEVER, ++version));
        write(1);
        assertEquals(List.of(), choose(1));
        assertEquals(1, search());
        List<Eviction> chosen = choose(1);
        assertEquals(1, chosen.size());
        assertEquals(longest.bytes().length, chosen.get(0).getKey().size());
        assertEquals(LONG_KEY + 1, choose(1).get(0).getKey().toStringUtf8());
    }
}
