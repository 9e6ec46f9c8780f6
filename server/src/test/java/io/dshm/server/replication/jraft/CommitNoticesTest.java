package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class CommitNoticesTest {

    private final Queue<Runnable> timer = new ArrayDeque<>();
    private final List<Long> delays = new ArrayList<>();
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
                timer.add(task);
                delays.add(micros);
            });

    private void passes() {
        timer.remove().run();
    }

    @Test
    void nothingFollowsACommit_theFollowersAreToldOnce() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        assertEquals(0, heartbeats);
        passes();
        assertEquals(1, heartbeats);
        assertEquals(0, timer.size());
        assertEquals(List.of(CommitNotices.FIRST_LOOK_MICROS), delays);
    }

    @Test
    void anEntryFollows_itTellsOfTheCommit() {
        notices.onLeading();
        appended = 1;
        notices.onApplied(1);
        appended = 2;
        passes();
        assertEquals(0, heartbeats);
        assertEquals(0, timer.size());
        notices.onApplied(2);
        passes();
        assertEquals(1, heartbeats);
    }

    @Test
    void anEntryWasOnItsWayAlready_itTellsOfNothing() {
        notices.onLeading();
        appended = 2;
        notices.onApplied(1);
        passes();
        assertEquals(1, heartbeats);
    }

    @Test
    void underLoadThereAreNoHeartbeats_afterItThereIsOne() {
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
        assertEquals(
                1,
                delays.stream()
                        .filter(d -> d == CommitNotices.FIRST_LOOK_MICROS)
                        .count());
        notices.onApplied(101);
        passes();
        assertEquals(1, heartbeats);
        assertEquals(0, timer.size());
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
        assertEquals(1, timer.size());
        passes();
        assertEquals(2, heartbeats);
        assertEquals(0, timer.size());
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
        passes();
        assertEquals(1, heartbeats);
    }
}
