package io.dshm.server.frontend;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that wait for one client to read them, and since when. Confined to its event loop.
 *
 * <p>Where the node holds too much for clients, counting more may disconnect any client of this loop, also the one that
 * is counted for.
 */
public final class UnreadReplies {

    private static final Reply.Failure BUSY =
            new Reply.Failure(ErrorCode.BUSY, "too many bytes of replies wait for clients of this node");

    private final ConnectionSet connections;
    private final ReplyMemory memory;

    private long bytes;
    private long sinceNanos;

    /** Of {@link #bytes}, those that wait in the connection's outbound buffer. */
    private long encoded;

    UnreadReplies(ConnectionSet connections, ReplyMemory memory) {
        this.connections = connections;
        this.memory = memory;
    }

    /** What a read replies: that, or {@code busy} if this node holds too many bytes for clients already. */
    public Reply admit(Reply read) {
        return connections.makeRoomFor(read) ? read : BUSY;
    }

    /** A reply waits. */
    void hold(Reply reply) {
        count(reply);
        connections.relieve();
    }

    private void count(Reply reply) {
        if (reply instanceof Reply.Several several) {
            several.replies().forEach(this::count);
            return;
        }
        byte[] value = valueOf(reply);
        if (value != null) {
            count(value);
        }
    }

    private void count(byte[] value) {
        grow(value.length);
        memory.hold(value);
    }

    /** It waits no more. */
    void release(Reply reply) {
        if (reply instanceof Reply.Several several) {
            several.replies().forEach(this::release);
            return;
        }
        byte[] value = valueOf(reply);
        if (value != null) {
            release(value);
        }
    }

    /** A value waits, or is being sent. */
    public void hold(byte[] value) {
        count(value);
        connections.relieve();
    }

    /** It is not needed any more. */
    public void release(byte[] value) {
        bytes -= value.length;
        memory.release(value);
    }

    /** Counts what waits in the connection's outbound buffer now. */
    public void countPending(Channel channel) {
        setEncoded(pendingBytes(channel));
    }

    /** The bytes in that connection's outbound buffer. */
    static long pendingBytes(Channel channel) {
        ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
        return outbound == null ? 0 : outbound.totalPendingWriteBytes();
    }

    /** So many bytes wait in the connection's outbound buffer now. */
    public void setEncoded(long now) {
        long more = now - encoded;
        if (more == 0) {
            return;
        }
        encoded = now;
        if (more < 0) {
            onProgress();
            bytes += more;
            memory.add(more);
        } else {
            grow(more);
            memory.add(more);
            connections.relieve();
        }
    }

    private void grow(long more) {
        if (bytes == 0) {
            onProgress();
        }
        bytes += more;
    }

    /** The client has read something. */
    void onProgress() {
        sinceNanos = connections.nanoTime();
    }

    long encoded() {
        return encoded;
    }

    /** What waits, a value that other clients wait for, too, in full. */
    long bytes() {
        return bytes;
    }

    /** When the client last read something, or, if later, when bytes began to wait; by {@link System#nanoTime()}. */
    long sinceNanos() {
        return sinceNanos;
    }

    /** The value in a reply, which the store may hold, too; null if there is none, and of a reply to a MULTI. */
    static byte @Nullable [] valueOf(Reply reply) {
        if (reply instanceof Reply.Value value) {
            return value.bytes();
        }
        return reply instanceof Reply.Detailed detailed ? detailed.value() : null;
    }
}
