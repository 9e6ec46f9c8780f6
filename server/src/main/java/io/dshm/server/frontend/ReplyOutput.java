package io.dshm.server.frontend;

import io.dshm.proto.Reply;
import io.dshm.proto.text.ReplyEncoder;
import io.dshm.server.counters.Tally;
import io.dshm.server.network.SocketEnds;
import io.dshm.server.store.Cursor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The replies of one connection on their way to its client, in the order in which they are written here. Confined to
 * its event loop.
 *
 * <p>Replies are encoded into one buffer, which is sent once in a round of the event loop. A large value is not copied
 * as a whole: it is sent piece by piece, as fast as the client takes it, and no other reply is written meanwhile. What
 * the client does not take is counted in {@link UnreadReplies}.
 */
final class ReplyOutput {

    /** Values from this length on are copied to the socket piece by piece. */
    private static final int LARGE_REPLY_BYTES = 128 * 1024;

    /**
     * Bytes of replies that are collected before they are sent. With more, unread replies would grow without being
     * counted.
     */
    private static final int REPLIES_BYTES_MAX = 64 * 1024;

    /** How long a client may take to notice that the connection has ended. */
    private static final long LINGER_MILLIS = 1_000;

    private final Channel channel;
    private final UnreadReplies unread;
    private final Tally sent;

    /** Called when the client has taken a large value, so that {@link #takesMore} may be true again. */
    private final Runnable onTaken;

    private final ChannelFutureListener onWritten = written -> countSoon();

    private @Nullable ByteBuf replies;
    private @Nullable LargeReply large;
    private byte @Nullable [] largeValue;
    private boolean flushScheduled;
    private boolean countScheduled;
    private boolean discarded;

    /** All that was handed to the channel. */
    private long bytesWritten;

    /** What the client had taken of it at the last check. */
    private long bytesTakenBefore;

    /** @param sent counts the bytes of replies that the channel has been given */
    ReplyOutput(Channel channel, UnreadReplies unread, Tally sent, Runnable onTaken) {
        this.channel = channel;
        this.unread = unread;
        this.sent = sent;
        this.onTaken = onTaken;
    }

    /** Whether the client reads, so that one more reply may be written. */
    boolean takesMore() {
        return largeValue == null && channel.isWritable();
    }

    /** Of all replies so far, except what of a large value the client has not taken. */
    long bytesEncoded() {
        return bytesWritten + (replies == null ? 0 : replies.readableBytes());
    }

    /** Writes a reply, to be sent at the next {@link #flush} at the latest. */
    void write(Reply reply) {
        if (discarded) {
            return;
        }
        ByteBuf out = begin();
        if (reply instanceof Reply.Value value && value.bytes().length >= LARGE_REPLY_BYTES) {
            ReplyEncoder.encodeHead(value.bytes().length, out);
            writeLarge(value.bytes());
        } else if (reply instanceof Reply.Detailed detailed
                && detailed.value() != null
                && detailed.value().length >= LARGE_REPLY_BYTES) {
            ReplyEncoder.encodeHead(detailed.value().length, detailed.details(), out);
            writeLarge(detailed.value());
        } else if (reply instanceof Reply.Several several && ReplyEncoder.valueBytes(several) >= LARGE_REPLY_BYTES) {
            byte[] encoded = ReplyEncoder.encodeAll(several);
            ReplyEncoder.encodeHead(encoded.length, out);
            writeLarge(encoded);
        } else {
            ReplyEncoder.encode(reply, out);
            flushIfLong(out);
        }
    }

    /** The same of a plain value that stands in a record of the store: it is small. */
    void writeValue(Cursor at) {
        if (discarded) {
            return;
        }
        ByteBuf out = begin();
        ReplyEncoder.encodeHead(at.valueLength(), out);
        out.writeBytes(at.array(), at.valueAt(), at.valueLength());
        ReplyEncoder.encodeTail(out);
        flushIfLong(out);
    }

    private ByteBuf begin() {
        ByteBuf out = replies;
        if (out == null) {
            out = channel.alloc().ioBuffer(256);
            replies = out;
        }
        return out;
    }

    private void flushIfLong(ByteBuf out) {
        if (out.readableBytes() >= REPLIES_BYTES_MAX) {
            flush();
        }
    }

    private void writeLarge(byte[] value) {
        largeValue = value;
        sent.add(value.length);
        large = new LargeReply(value, unread);
        writeReplies();
        channel.write(large);
        ByteBuf tail = channel.alloc().ioBuffer(16);
        ReplyEncoder.encodeTail(tail);
        bytesWritten += tail.readableBytes();
        unread.hold(value);
        channel.writeAndFlush(tail).addListener(written -> {
            releaseLarge();
            onTaken.run();
        });
        countUnread();
    }

    private void releaseLarge() {
        if (largeValue != null) {
            bytesWritten += largeValue.length;
            unread.release(largeValue);
            unread.onProgress();
            largeValue = null;
            large = null;
        }
    }

    private void writeReplies() {
        ByteBuf ready = replies;
        if (ready != null) {
            replies = null;
            bytesWritten += ready.readableBytes();
            sent.add(ready.readableBytes());
            channel.write(ready).addListener(onWritten);
        }
    }

    /** One flush for all that is replied in this round of the event loop. */
    void flushSoon() {
        if (replies != null && !flushScheduled) {
            flushScheduled = true;
            channel.eventLoop().execute(() -> {
                flushScheduled = false;
                flush();
            });
        }
    }

    void flush() {
        if (replies != null) {
            writeReplies();
            channel.flush();
            countUnread();
        }
    }

    /** Netty says that a buffer is written before it counts it no more. */
    private void countSoon() {
        if (unread.encoded() > 0 && !countScheduled) {
            countScheduled = true;
            channel.eventLoop().execute(() -> {
                countScheduled = false;
                countUnread();
            });
        }
    }

    private void countUnread() {
        if (discarded) {
            unread.setEncoded(0);
        } else {
            unread.countPending(channel);
        }
    }

    /** Whether the client has nothing to read, or has read something since this was last asked. */
    boolean progresses() {
        ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
        long inProgress = outbound == null ? 0 : outbound.currentProgress();
        long written = bytesWritten + (large == null ? 0 : large.progress());
        long pending = UnreadReplies.pendingBytes(channel);
        long bytesTaken = written - pending + inProgress;
        boolean progresses = bytesTaken > bytesTakenBefore || (pending == 0 && largeValue == null);
        bytesTakenBefore = bytesTaken;
        if (progresses) {
            unread.onProgress();
        }
        return progresses;
    }

    /**
     * Sends what was written, then ends the connection. Bytes that the client is still sending are read and dropped
     * for a moment: closing before would reset the connection, and the client might never see its last reply.
     *
     * @param inputEnded whether the client has ended its side already
     */
    void end(boolean inputEnded) {
        writeReplies();
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
            if (inputEnded) {
                channel.close();
            } else {
                SocketEnds.endOutput(channel);
                channel.eventLoop().schedule(() -> channel.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
            }
        });
        countUnread();
    }

    /** The connection has ended, or is to be ended: lets go of everything. */
    void discard() {
        discarded = true;
        if (replies != null) {
            replies.release();
            replies = null;
        }
        if (large != null) {
            large.close();
        }
        releaseLarge();
        unread.setEncoded(0);
    }
}
