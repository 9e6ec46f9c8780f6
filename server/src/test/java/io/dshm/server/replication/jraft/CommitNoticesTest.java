package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class CommitNoticesTest {

    private record Task(Runnable run, long dueMicros) {}

    private final Queue<Task> timer = new PriorityQueue<>(Comparator.comparingLong(Task::dueMicros));
    private final List<Long> delays = new ArrayList<>();
    private long nowMicros;
    private long appended;
    private int heartbeats;
    private Runnable duringHeartbeats = () -> {};

    private final CommitNotices notices = new CommitNotices(
            () -> appended,
            () -> {
                heartbeats++;
                duringHeartbeats.run();
            },
            (task, micros) -> {
                timer.add(new Task(task, nowMicros + micros));
                delays.add(micros);
            });

    /** Runs what is due next. */
    private void passes() {
        Task next = timer.remove();
        nowMicros = next.dueMicros();
        next.run().run();
    }

    /** Runs all that is due within so long. */
    private void pass(long micros) {
        long until = nowMicros + micros;
        while (!timer.isEmpty() && timer.peek().dueMicros() <= until) {
            passes();
        }
        nowMicros = until;
    }

    @Test
    void nothingFollowsACommit_theFollowersAreToldAtOnce_andAgainForTheSlowerOnes() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        assertEquals(0, heartbeats);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        assertEquals(1, heartbeats);
        for (int i = 0; i < CommitNotices.REPEATS_MICROS.size(); i++) {
            pass(CommitNotices.REPEATS_MICROS.get(i) - 1);
            assertEquals(1 + i, heartbeats);
            pass(1);
            assertEquals(2 + i, heartbeats);
        }
        assertEquals(0, timer.size());
    }

    @Test
    void anEntryFollowsTheHeartbeats_theyAreNotRepeated() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        appended = 2;
        pass(1_000_000);
        assertEquals(1, heartbeats);
        assertEquals(0, timer.size());
    }

    @Test
    void anEntryFollows_itTellsOfTheCommit() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        appended = 2;
        pass(1_000_000);
        assertEquals(0, heartbeats);
        assertEquals(0, timer.size());
        notices.onApplied(2);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        assertEquals(1, heartbeats);
    }

    @Test
    void anEntryWasOnItsWayAlready_itTellsOfNothing() {
        notices.onLeading();
        appended = 2;
        notices.onApplied(1);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        assertEquals(1, heartbeats);
    }

    @Test
    void underLoadThereAreNoHeartbeats_afterItThereAre() {
        notices.onLeading();
        for (long index = 1; index <= 100; index++) {
            appended = index;
            notices.onApplied(index);
            appended = index + 1;
            if (index % 10 == 0) {
                passes();
            }
        }
        assertEquals(0, heartbeats);
        assertEquals(10 + 1, delays.size());
        assertEquals(List.of(CommitNotices.FIRST_LOOK_MICROS, 2_000L, 4_000L, 8_000L, 8_000L), delays.subList(0, 5));
        assertEquals(CommitNotices.NEXT_LOOK_MICROS_MAX, delays.get(10));
        notices.onApplied(101);
        passes();
        assertEquals(1, heartbeats);
        pass(1_000_000);
        notices.onApplied(102);
        appended = 103;
        notices.onApplied(103);
        passes();
        assertEquals(CommitNotices.NEXT_LOOK_MICROS, delays.get(delays.size() - 1), "it begins anew");
    }

    @Test
    void oneMoreIsAppliedWhileTheFollowersAreTold_theyAreToldOfItToo() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        duringHeartbeats = () -> {
            duringHeartbeats = () -> {};
            appended = 2;
            notices.onApplied(2);
        };
        passes();
        assertEquals(1, heartbeats);
        passes();
        assertEquals(2, heartbeats);
    }

    @Test
    void oneMoreIsAppliedBeforeTheyAreToldAgain_theyAreToldOfItAsSoonAsOfTheFirst() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        appended = 2;
        notices.onApplied(2);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        assertEquals(2, heartbeats);
    }

    @Test
    void aFollowerTellsNobody() {
        appended = 1;
        notices.onApplied(1);
        assertEquals(0, timer.size());
        notices.onLeading();
        notices.onApplied(2);
        notices.onLeadingEnded();
        passes();
        assertEquals(0, heartbeats);
        assertEquals(0, timer.size());
        notices.onLeading();
        notices.onApplied(3);
        pass(CommitNotices.FIRST_LOOK_MICROS);
        assertEquals(1, heartbeats);
        notices.onLeadingEnded();
        pass(1_000_000);
        assertEquals(1, heartbeats);
        assertEquals(0, timer.size());
    }
}
