package io.dshm.server.statemachine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Eviction;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WhenFull;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.store.RegionUse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Regions with limits of their own: what refuses, what evicts, and that it is the same on all nodes. */
class RegionLimitTest {

    private static final long LIMIT = 10_000;

    private final StateMachine leader =
            new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(1 << 20, 10 << 20, 0));
    private final StateMachine follower = new StateMachine(new ClusterClock(System::nanoTime));
    private final Log words = new Log();
    private long index;

    RegionLimitTest() {
        apply(LogEntry.newBuilder().addRecords(Log.register("n1", 1, 1, Log.ORIGIN)));
        apply(LogEntry.newBuilder().addRecords(Log.switchFormat(Formats.BOUNDS)));
    }

    private Outcome[] apply(LogEntry.Builder entry) {
        byte[] bytes = entry.setStampMillis(words.nowMillis()).build().toByteArray();
        Outcome[] outcomes = leader.apply(++index, ByteBuffer.wrap(bytes));
        follower.apply(index, ByteBuffer.wrap(bytes));
        return outcomes;
    }

    /** Runs a command as a leader does. */
    private Outcome run(CommandRecord.Builder record) {
        CommandRecord command = words.next(record).build();
        MemoryLimit.Reservation room = leader.memory().reservation();
        CommandRecord admitted = Objects.requireNonNull(room.admit(command));
        room.proposed();
        Outcome outcome =
                apply(LogEntry.newBuilder().addAllEvicted(room.evictions()).addRecords(admitted))[0];
        room.landed();
        return outcome;
    }

    private static boolean isThere(StateMachine stateMachine, String key) {
        Key k = Key.of(key);
        return stateMachine.store().get(k.bytes(), k.hash()) != null;
    }

    private RegionUse use(String region) {
        return Objects.requireNonNull(leader.store().regionUseOf(region.getBytes(UTF_8)));
    }

    private static long digest(StateMachine stateMachine) {
        try (StateView view = stateMachine.view()) {
            return view.digest().digest();
        }
    }

    /** With its key, a value that counts for 200 bytes. */
    private static String value(String character, String key) {
        return character.repeat(200 * 9 / 10 - 24 - key.length());
    }

    /** How many keys of 200 bytes the region takes. */
    private int fill(String region, int max) {
        int i = 0;
        while (i < max
                && run(Log.set(region + ":" + i, value("v", region + ":" + i), 0))
                                .kind()
                        == Outcome.Kind.APPLIED) {
            i++;
        }
        return i;
    }

    @Test
    void a_full_region_that_refuses_refuses_growth_alone_and_in_itself_alone() {
        run(Log.limitRegion("r", LIMIT, WhenFull.REFUSE));
        int keys = fill("r", 1000);
        assertEquals(LIMIT / 200, keys);
        assertTrue(use("r").bytes() <= LIMIT, () -> "" + use("r").bytes());
        assertEquals(Outcome.Kind.OUT_OF_MEMORY, run(Log.incr("r:new", 1, 0)).kind());
        assertEquals(
                Outcome.Kind.OUT_OF_MEMORY,
                run(Log.multi(Log.set("other:x", "v", 0), Log.set("r:x", "v", 0)))
                        .kind());
        assertEquals(Outcome.Kind.APPLIED, run(Log.rateLimiter("r:new", 5, 60)).kind(), "a limiter decides");
        assertEquals(
                Outcome.Kind.APPLIED, run(Log.set("r:1", value("w", "r:1"), 0)).kind());
        assertEquals(Outcome.Kind.APPLIED, run(Log.set("other:x", "v", 0)).kind());
        assertEquals(Outcome.Kind.APPLIED, run(Log.set("x", "v", 0)).kind(), "the default region");
        run(Log.delete("r:0"));
        run(Log.delete("r:1"));
        run(Log.delete("r:2"));
        assertEquals(Outcome.Kind.APPLIED, run(Log.incr("r:new2", 1, 0)).kind());
        run(Log.limitRegion("r", 0, WhenFull.REFUSE));
        assertTrue(leader.store().regionUses().isEmpty());
        assertEquals(200, fill("r", 200));
    }

    @Test
    void a_full_region_that_evicts_loses_the_entries_longest_not_written_and_no_limiter() {
        run(Log.limitRegion("r", LIMIT, WhenFull.EVICT));
        run(Log.rateLimiter("r:limiter", 5, 3600));
        run(Log.put("r:typed", "v", 0));
        TypedValue.Builder held = TypedValue.newBuilder().setBoolean(true);
        run(Log.put("r:lock", held, 3600, WriteCondition.getDefaultInstance()));
        assertEquals(44, fill("r", 44));
        run(Log.set("other:x", "v", 0));
        run(Log.touch("r:0", 0));
        for (int i = 100; i < 120; i++) {
            Outcome outcome = run(Log.set("r:" + i, value("v", "r:" + i), 0));
            assertEquals(Outcome.Kind.APPLIED, outcome.kind());
            assertEquals(i > 103, outcome.isAfterEviction(), "key " + i);
        }
        assertTrue(use("r").bytes() <= LIMIT, () -> "" + use("r").bytes());
        assertTrue(isThere(follower, "r:limiter"));
        assertTrue(isThere(follower, "r:lock"));
        assertTrue(isThere(follower, "r:0"), "written last before the others");
        assertFalse(isThere(follower, "r:typed"));
        for (int i = 1; i < 15; i++) {
            assertFalse(isThere(follower, "r:" + i), "key " + i);
        }
        for (int i = 20; i < 44; i++) {
            assertTrue(isThere(follower, "r:" + i), "key " + i);
        }
        assertTrue(isThere(follower, "other:x"));
        assertEquals(digest(leader), digest(follower));
    }

    @Test
    void nothing_is_evicted_for_who_has_no_right() {
        run(Log.limitRegion("r", LIMIT, WhenFull.EVICT));
        int keys = (int) LIMIT / 200;
        assertEquals(keys, fill("r", keys));
        run(ChangeUsersCommand.newBuilder()
                .setAction(ChangeUsersCommand.Action.ADD)
                .setName("root")
                .setSecret(HashedSecret.newBuilder()
                        .setSalt(ByteString.copyFrom(new byte[Limits.SECRET_SALT_BYTES]))
                        .setHash(ByteString.copyFrom(new byte[Limits.SECRET_HASH_BYTES])))
                .addRights(GrantedRight.newBuilder()
                        .setKind(GrantedRight.Kind.ADMIN)
                        .setPattern(ByteString.copyFromUtf8("*"))));
        assertEquals(
                Outcome.Kind.APPLIED,
                run(ChangeUsersCommand.newBuilder().setAction(ChangeUsersCommand.Action.REQUIRE))
                        .kind());
        CommandRecord.Builder set = Log.set("r:new", value("v", "r:new"), 0);
        assertEquals(Outcome.Kind.DENIED, run(set).kind());
        for (int i = 0; i < keys; i++) {
            assertTrue(isThere(follower, "r:" + i), "key " + i);
        }
        long root = leader.users().all().iterator().next().number();
        assertEquals(Outcome.Kind.APPLIED, run(set.setCredential(root)).kind());
        assertFalse(isThere(follower, "r:0"));
    }

    private Outcome run(ChangeUsersCommand.Builder change) {
        return run(CommandRecord.newBuilder().setChangeUsers(change));
    }

    @Test
    void a_command_says_whether_it_evicts_or_not() {
        run(Log.limitRegion("r", LIMIT, WhenFull.REFUSE));
        run(Log.limitRegion("e", LIMIT, WhenFull.EVICT));
        fill("r", 1000);
        Outcome evicted = run(Log.put("r:new", "v", 0).setWhenFull(WhenFull.EVICT));
        assertEquals(Outcome.Kind.APPLIED, evicted.kind());
        assertTrue(evicted.isAfterEviction());
        assertFalse(isThere(leader, "r:0"));
        fill("e", 48);
        run(Log.set("e:last", value("v", "e:last"), 0));
        run(Log.set("e:last2", value("v", "e:last2"), 0));
        assertEquals(
                Outcome.Kind.OUT_OF_MEMORY,
                run(Log.put("e:new", "v", 0).setWhenFull(WhenFull.REFUSE)).kind());
        assertTrue(isThere(leader, "e:0"));
        assertEquals(
                Outcome.Kind.OUT_OF_MEMORY,
                run(Log.set("e:large", "v".repeat(12_000), 0)).kind(),
                "for what is larger than its region nothing goes");
        assertTrue(isThere(leader, "e:0"));
    }

    @Test
    void where_the_whole_is_full_a_command_evicts_of_its_own_region() {
        int keys = fill("mine", 100);
        int others = fill("others", 100_000);
        assertTrue(keys + others > 4000);
        assertEquals(
                Outcome.Kind.OUT_OF_MEMORY,
                run(Log.put("mine:new", "v".repeat(200), 0)).kind());
        assertTrue(run(Log.put("mine:new", "v".repeat(200), 0).setWhenFull(WhenFull.EVICT))
                .isAfterEviction());
        assertFalse(isThere(leader, "mine:0"));
        assertTrue(isThere(leader, "others:0"));
    }

    @Test
    void what_a_region_holds_when_it_gets_its_limit_counts_after_small_steps() {
        fill("r", 60);
        fill("other", 60);
        apply(LogEntry.newBuilder().addRecords(words.next(Log.limitRegion("r", LIMIT, WhenFull.EVICT))));
        int steps = 0;
        while (leader.hasToPurge()) {
            run(Log.set("r:" + steps, value("w", "r:" + steps), 0));
            run(Log.delete("r:" + (59 - steps)));
            leader.purge();
            steps++;
        }
        assertTrue(steps > 0 && steps < 20, "steps: " + steps);
        long[] bytes = new long[1];
        leader.store().forEachOf("r".getBytes(UTF_8), there -> bytes[0] += there.bytes());
        assertEquals(bytes[0], use("r").bytes());
        assertTrue(use("r").isCounted());
        run(Log.limitRegion("r", 1000, WhenFull.EVICT));
        long before = use("r").bytes();
        assertEquals(Outcome.Kind.APPLIED, run(Log.set("r:new", "v", 0)).kind());
        assertTrue(use("r").bytes() < before, "a region beyond its limit shrinks");
        run(Log.set("r:new2", "v", 0));
        assertTrue(use("r").bytes() <= 1000, () -> "" + use("r").bytes());
    }

    @Test
    void what_entries_on_their_way_evict_is_not_chosen_again() {
        run(Log.limitRegion("r", LIMIT, WhenFull.EVICT));
        fill("r", 50);
        List<MemoryLimit.Reservation> onTheirWay = new ArrayList<>();
        List<CommandRecord> records = new ArrayList<>();
        Set<Long> versions = new HashSet<>();
        // More than a quarter of what was found by the first search: others follow.
        for (int i = 0; i < 45; i++) {
            MemoryLimit.Reservation room = leader.memory().reservation();
            CommandRecord command =
                    words.next(Log.set("r:new" + i, value("v", "r:new" + i), 0)).build();
            records.add(Objects.requireNonNull(room.admit(command)));
            room.proposed();
            onTheirWay.add(room);
            room.evictions()
                    .forEach(eviction -> assertTrue(versions.add(eviction.getVersion()), "one entry is evicted twice"));
        }
        for (int i = 0; i < records.size(); i++) {
            apply(LogEntry.newBuilder()
                    .addAllEvicted(onTheirWay.get(i).evictions())
                    .addRecords(records.get(i)));
            onTheirWay.get(i).landed();
        }
        assertTrue(use("r").bytes() <= LIMIT, () -> "" + use("r").bytes());
        assertEquals(0, use("r").onWay().get());
    }

    @Test
    void what_was_chosen_and_not_evicted_can_be_chosen_again() {
        run(Log.limitRegion("r", LIMIT, WhenFull.EVICT));
        fill("r", 50);
        for (int i = 0; i < 200; i++) {
            MemoryLimit.Reservation room = leader.memory().reservation();
            CommandRecord admitted = Objects.requireNonNull(room.admit(
                    words.next(Log.set("r:new", value("v", "r:new"), 0)).build()));
            assertFalse(admitted.hasRefused(), "command " + i);
            room.proposed();
            // The log did not take it.
            room.landed();
        }
    }

    @Test
    void an_eviction_of_what_was_written_meanwhile_does_nothing() {
        run(Log.limitRegion("r", LIMIT, WhenFull.EVICT));
        run(Log.set("r:a", "v", 0));
        long version = Objects.requireNonNull(
                        leader.store().get(Key.of("r:a").bytes(), Key.of("r:a").hash()))
                .version();
        run(Log.set("r:a", "w", 0));
        Eviction late = Eviction.newBuilder()
                .setKey(ByteString.copyFromUtf8("r:a"))
                .setVersion(version)
                .build();
        apply(LogEntry.newBuilder().addEvicted(late));
        assertTrue(isThere(leader, "r:a"));
        apply(LogEntry.newBuilder().addEvicted(late.toBuilder().setVersion(version + 1)));
        assertFalse(isThere(leader, "r:a"));
        assertEquals(digest(leader), digest(follower));
    }

    @Test
    void limits_are_in_the_snapshot_the_digest_and_the_size(@TempDir Path folder) throws IOException {
        fill("r", 20);
        long digest = digest(leader);
        long bytes = leader.bytes();
        run(Log.limitRegion("r", LIMIT, WhenFull.EVICT));
        run(Log.limitRegion("", 5000, WhenFull.REFUSE));
        assertTrue(leader.bytes() > bytes + 500);
        assertTrue(digest != digest(leader));
        run(Log.set("r:0", "changed", 0));
        while (leader.hasToPurge()) {
            leader.purge();
        }
        try (StateView view = leader.view()) {
            new SnapshotWriter(folder, view).write();
        }
        StateMachine loaded = new StateMachine(new ClusterClock(System::nanoTime));
        loaded.load(new SnapshotReader(folder));
        assertEquals(digest(leader), digest(loaded));
        RegionUse use = Objects.requireNonNull(loaded.store().regionUseOf("r".getBytes(UTF_8)));
        assertEquals(LIMIT, use.bytesMax());
        assertTrue(use.evicts() && use.isCounted());
        assertEquals(use("r").bytes(), use.bytes());
        assertEquals(20, use.entries());
        assertNotNull(loaded.store().regionUseOf(new byte[0]));
        assertNull(loaded.store().regionUseOf(new byte[] {'x'}));
    }

    @Test
    void too_many_limits_are_refused() {
        for (int i = 0; i < Limits.REGION_LIMITS_MAX; i++) {
            assertEquals(
                    Outcome.Kind.APPLIED,
                    run(Log.limitRegion("r" + i, LIMIT, WhenFull.EVICT)).kind());
        }
        assertEquals(
                Outcome.Kind.TOO_LARGE,
                run(Log.limitRegion("more", LIMIT, WhenFull.EVICT)).kind());
        assertEquals(
                Outcome.Kind.APPLIED,
                run(Log.limitRegion("r7", 5, WhenFull.REFUSE)).kind());
        run(Log.limitRegion("r8", 0, WhenFull.REFUSE));
        assertEquals(
                Outcome.Kind.APPLIED,
                run(Log.limitRegion("more", LIMIT, WhenFull.EVICT)).kind());
    }
}
