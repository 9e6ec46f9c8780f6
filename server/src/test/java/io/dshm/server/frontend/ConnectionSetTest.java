package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ConnectionSetTest {

    private static final int CONNECTIONS = 10;

    private final EmbeddedChannel loop = new EmbeddedChannel();
    private final ConnectionSet set =
            new ConnectionSet(loop.eventLoop(), 4, new MemoryBudget(1_000_000), System::nanoTime);
    private final List<Integer> checked = new ArrayList<>();
    private final List<Integer> disconnected = new ArrayList<>();

    private final class Fake implements ClientConnection {

        private final int number;
        private final UnreadReplies unread = set.newUnreadReplies();

        Fake(int number) {
            this.number = number;
        }

        @Override
        public void checkProgress(int checksMax) {
            checked.add(number);
            if (number == 5) {
                throw new IllegalStateException("the check of one connection fails");
            }
        }

        @Override
        public void finish() {}

        @Override
        public UnreadReplies unread() {
            return unread;
        }

        @Override
        public void disconnect() {
            disconnected.add(number);
            set.remove(this);
        }
    }

    @Test
    void a_connection_whose_check_fails_is_disconnected_and_the_others_are_checked_again_and_again() {
        for (int i = 0; i < CONNECTIONS; i++) {
            set.add(new Fake(i));
        }
        set.start();
        for (int round = 0; round < 3; round++) {
            loop.advanceTimeBy(1, TimeUnit.SECONDS);
            loop.runScheduledPendingTasks();
        }
        assertEquals(List.of(5), disconnected);
        assertEquals(3 * CONNECTIONS - 2, checked.size());
    }
}
