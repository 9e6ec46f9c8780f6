package io.dshm.server.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.PeerMessage;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HeartbeatTest {

    private static final int BEAT_MILLIS = 700;
    private static final PeerMessage BEAT = PeerMessage.getDefaultInstance();

    private final EmbeddedChannel channel = new EmbeddedChannel();

    HeartbeatTest() {
        channel.freezeTime();
    }

    @AfterEach
    void nothing_is_left() {
        channel.finishAndReleaseAll();
    }

    private void pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    @Test
    void the_side_that_connects_asks_at_each_beat() {
        channel.pipeline().addFirst(Heartbeat.always(BEAT));
        assertNull(channel.readOutbound());
        for (int i = 0; i < 20; i++) {
            channel.writeInbound("an answer");
            pass(Limits.PEER_HEARTBEAT_MILLIS);
            assertEquals(BEAT, channel.readOutbound());
            assertNull(channel.readOutbound());
        }
        assertTrue(channel.isOpen());
    }

    @Test
    void silence_ends_the_connection_and_whatever_is_heard_begins_it_anew() {
        channel.pipeline().addFirst(Heartbeat.whileNotReading(BEAT_MILLIS, BEAT));
        for (int i = 1; i < Limits.PEER_SILENT_HEARTBEATS_MAX; i++) {
            pass(BEAT_MILLIS);
        }
        channel.writeInbound("a byte");
        for (int i = 0; i < Limits.PEER_SILENT_HEARTBEATS_MAX; i++) {
            pass(BEAT_MILLIS);
            assertTrue(channel.isOpen());
        }
        pass(BEAT_MILLIS);
        assertFalse(channel.isOpen());
        assertNull(channel.readOutbound());
    }

    @Test
    void a_pause_of_this_node_counts_as_one_beat() {
        channel.pipeline().addFirst(Heartbeat.whileNotReading(BEAT_MILLIS, BEAT));
        pass(TimeUnit.HOURS.toMillis(1));
        assertTrue(channel.isOpen());
    }

    @Test
    void a_node_that_does_not_read_sends_signs_of_life_and_hears_no_silence() {
        channel.pipeline().addFirst(Heartbeat.whileNotReading(BEAT_MILLIS, BEAT));
        channel.config().setAutoRead(false);
        for (int i = 0; i < 10 * Limits.PEER_SILENT_HEARTBEATS_MAX; i++) {
            pass(BEAT_MILLIS);
            assertEquals(BEAT, channel.readOutbound());
        }
        channel.config().setAutoRead(true);
        pass(BEAT_MILLIS);
        assertTrue(channel.isOpen());
        assertNull(channel.readOutbound());
    }

    @Test
    void no_beat_follows_the_end_of_a_connection() {
        channel.pipeline().addFirst(Heartbeat.always(BEAT));
        channel.close();
        pass(Limits.PEER_HEARTBEAT_MILLIS);
        assertNull(channel.readOutbound());
        assertEquals(-1, channel.runScheduledPendingTasks(), "nothing is scheduled any more");
    }
}
