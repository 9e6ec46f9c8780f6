package io.dshm.server.replication.jraft.bolt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BoltFramesTest {

    private final PeerPort port = new PeerPort(
            new PeerPort.Bounds(
                    3, 2L * Limits.RAFT_FRAME_BYTES_MAX, new FrameGuard.Bounds(Limits.RAFT_FRAME_BYTES_MAX, 1000)),
            address -> true,
            new RefusalLog("test", System::nanoTime));
    private final EmbeddedChannel channel = new EmbeddedChannel(port.guard(BoltFrames.FORMAT));

    @AfterEach
    void nothing_is_left() {
        channel.finishAndReleaseAll();
    }

    /** The head of a request of protocol 1, whose content of that length does not follow. */
    private static ByteBuf request(int classBytes, int headerBytes, int contentBytes) {
        return Unpooled.buffer()
                .writeByte(1)
                .writeByte(1)
                .writeShort(1)
                .writeByte(1)
                .writeInt(7)
                .writeByte(1)
                .writeInt(1000)
                .writeShort(classBytes)
                .writeShort(headerBytes)
                .writeInt(contentBytes);
    }

    /** The head of an answer of protocol 2. */
    private static ByteBuf answer(int version, int switches, int contentBytes) {
        return Unpooled.buffer()
                .writeByte(2)
                .writeByte(version)
                .writeByte(0)
                .writeShort(2)
                .writeByte(1)
                .writeInt(7)
                .writeByte(1)
                .writeByte(switches)
                .writeShort(0)
                .writeShort(0)
                .writeShort(0)
                .writeInt(contentBytes);
    }

    private static EmbeddedChannel more(PeerPort at) {
        return new EmbeddedChannel(at.guard(BoltFrames.FORMAT));
    }

    @Test
    void frames_pass_as_they_are_wherever_they_are_cut() {
        ByteBuf both = Unpooled.buffer()
                .writeBytes(request(3, 2, 5).writeZero(10))
                .writeBytes(answer(2, 1, 4).writeZero(4 + Integer.BYTES))
                .writeBytes(request(0, 0, 0));
        int passed = 0;
        int all = both.readableBytes();
        while (both.isReadable()) {
            channel.writeInbound(both.readRetainedSlice(1));
            ByteBuf out = channel.readInbound();
            passed += out.readableBytes();
            out.release();
        }
        both.release();
        assertEquals(all, passed);
        assertTrue(channel.isOpen());
    }

    @Test
    void a_frame_that_announces_two_gigabytes_is_not_passed_on() {
        channel.writeInbound(request(44, 1000, Integer.MAX_VALUE).writeZero(1000));
        assertFalse(channel.isOpen());
        assertEquals(0, channel.inboundMessages().size());
    }

    @Test
    void negative_lengths_unknown_protocols_and_unknown_types_end_the_connection() {
        for (ByteBuf bytes : new ByteBuf[] {
            request(-1, 0, 0),
            request(0, -1, 0),
            request(0, 0, -1),
            Unpooled.buffer().writeByte(3),
            Unpooled.buffer().writeByte(1).writeByte(9),
            Unpooled.copiedBuffer(new byte[] {'P'})
        }) {
            EmbeddedChannel other = more(port);
            other.writeInbound(bytes);
            assertFalse(other.isOpen());
            assertFalse(other.finishAndReleaseAll());
        }
    }

    @Test
    void a_frame_that_does_not_end_in_time_ends_the_connection_and_one_that_does_does_not() {
        channel.writeInbound(request(0, 0, 0));
        pass(channel, 5_000);
        assertTrue(channel.isOpen());
        channel.writeInbound(request(0, 0, 100));
        pass(channel, 900);
        channel.writeInbound(Unpooled.buffer().writeZero(99));
        assertTrue(channel.isOpen());
        pass(channel, 400);
        assertFalse(channel.isOpen());
    }

    @Test
    void who_connects_and_says_nothing_is_closed() {
        pass(channel, 1_400);
        assertFalse(channel.isOpen());
    }

    private static void pass(EmbeddedChannel channel, long millis) {
        for (long passed = 0; passed < millis; passed += 100) {
            channel.advanceTimeBy(100, TimeUnit.MILLISECONDS);
            channel.runScheduledPendingTasks();
        }
    }

    @Test
    void of_unfinished_frames_that_are_too_many_the_first_has_to_go() {
        EmbeddedChannel second = more(port);
        EmbeddedChannel third = more(port);
        int length = Limits.RAFT_FRAME_BYTES_MAX - 100;
        for (EmbeddedChannel any : new EmbeddedChannel[] {channel, second, third}) {
            any.writeInbound(request(0, 0, length));
        }
        channel.runPendingTasks();
        assertFalse(channel.isOpen());
        assertTrue(second.isOpen() && third.isOpen());
        second.writeInbound(Unpooled.buffer().writeZero(length));
        more(port).writeInbound(request(0, 0, length));
        third.runPendingTasks();
        assertTrue(third.isOpen(), "the second has made room");
        second.finishAndReleaseAll();
        third.finishAndReleaseAll();
    }

    @Test
    void of_connections_that_are_too_many_the_first_that_says_nothing_has_to_go_and_else_the_last() {
        EmbeddedChannel silent = more(port);
        EmbeddedChannel third = more(port);
        channel.writeInbound(request(0, 0, 0));
        EmbeddedChannel fourth = more(port);
        silent.runPendingTasks();
        assertFalse(silent.isOpen());
        third.writeInbound(request(0, 0, 0));
        fourth.writeInbound(request(0, 0, 0));
        EmbeddedChannel fifth = more(port);
        fifth.runPendingTasks();
        assertFalse(fifth.isOpen());
        assertTrue(channel.isOpen() && third.isOpen() && fourth.isOpen());
        third.finishAndReleaseAll();
        fourth.finishAndReleaseAll();
    }
}
