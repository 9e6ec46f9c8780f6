package io.dshm.server.admin;

import io.dshm.proto.Limits;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;

/**
 * A response of any length, as fast as the client takes it: each write returns when the socket has taken the one
 * before, and fails if that takes longer than {@link Limits#BACKUP_STALL_SECONDS}. The response begins with the first
 * write. For one thread, which is not the connection's.
 */
final class ResponseStream extends OutputStream {

    private final ChannelHandlerContext context;
    private final boolean chunked;
    private boolean begun;

    /**
     * @param chunked whether the client understands chunks; otherwise the end of the connection is that of the response
     */
    ResponseStream(ChannelHandlerContext context, boolean chunked) {
        this.context = context;
        this.chunked = chunked;
    }

    /** Whether anything was written, so that it is too late for another answer. */
    boolean hasBegun() {
        return begun;
    }

    @Override
    public void write(int oneByte) throws IOException {
        write(new byte[] {(byte) oneByte}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        if (!begun) {
            begun = true;
            DefaultHttpResponse response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/octet-stream");
            HttpUtil.setTransferEncodingChunked(response, chunked);
            send(response);
        }
        if (length > 0) {
            send(new DefaultHttpContent(Unpooled.copiedBuffer(bytes, offset, length)));
        }
    }

    /** Ends the response; without it, the client sees that it is not whole. */
    @Override
    public void close() throws IOException {
        send(LastHttpContent.EMPTY_LAST_CONTENT);
    }

    private void send(HttpObject piece) throws IOException {
        ChannelFuture sent = context.writeAndFlush(piece);
        try {
            if (!sent.await(Limits.BACKUP_STALL_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("the client took nothing for " + Limits.BACKUP_STALL_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("stopping");
        }
        if (!sent.isSuccess()) {
            throw new IOException("the client has gone", sent.cause());
        }
    }
}
