package io.dshm.server.frontend;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;

/** A client's connection without a socket: the client may stop reading, and may close its sending side. */
class ClientChannel extends EmbeddedChannel implements DuplexChannel {

    private boolean reads = true;
    private boolean inputShutdown;
    private boolean outputShutdown;

    /** Nothing that follows from what happens is done yet. */
    private boolean turnHeld;

    ClientChannel(ByteBufAllocator allocator) {
        config().setAllocator(allocator);
        config().setWriteBufferWaterMark(ClientListener.WRITE_BUFFER);
    }

    /** The client sends these bytes, in one piece, and the event loop does all that follows. */
    void send(String text) {
        arrive(text);
        runTurns();
    }

    /** The same, but the event loop has only read the bytes. */
    void arrive(String text) {
        turnHeld = true;
        pipeline().fireChannelRead(alloc().buffer().writeBytes(text.getBytes(ISO_8859_1)));
        pipeline().fireChannelReadComplete();
        turnHeld = false;
    }

    /** Called by the superclass after whatever happens on the channel, too. */
    @Override
    public void runPendingTasks() {
        if (!turnHeld) {
            super.runPendingTasks();
        }
    }

    /** Turns of the event loop, until there is nothing to do. */
    private void runTurns() {
        do {
            runPendingTasks();
        } while (runScheduledPendingTasks() == 0);
    }

    /** The client closes its sending side. */
    void sendEnd() {
        inputShutdown = true;
        pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        runTurns();
    }

    /** The client reads no more; what is written to it stays in the connection's buffer. */
    void stopReading() {
        reads = false;
    }

    /** The client reads again. */
    void goOnReading() {
        reads = true;
        flush();
        runTurns();
    }

    /** What the client has read since the last call. */
    String received() {
        runTurns();
        return receivedSoFar();
    }

    /** What the client has read since the last call, though the event loop has more to do. */
    String receivedSoFar() {
        StringBuilder text = new StringBuilder();
        for (Object message = readOutbound(); message != null; message = readOutbound()) {
            text.append(((ByteBuf) message).toString(ISO_8859_1));
            ReferenceCountUtil.release(message);
        }
        return text.toString();
    }

    /** Whether the server has ended its side, or all of the connection. */
    boolean isEnded() {
        return outputShutdown || !isOpen();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) throws Exception {
        if (reads) {
            super.doWrite(in);
        }
    }

    @Override
    public boolean isInputShutdown() {
        return inputShutdown;
    }

    @Override
    public ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
        inputShutdown = true;
        return promise.setSuccess();
    }

    @Override
    public boolean isOutputShutdown() {
        return outputShutdown;
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        outputShutdown = true;
        return promise.setSuccess();
    }

    @Override
    public boolean isShutdown() {
        return inputShutdown && outputShutdown;
    }

    @Override
    public ChannelFuture shutdown() {
        return shutdown(newPromise());
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
        inputShutdown = true;
        return shutdownOutput(promise);
    }

    @Override
    public Channel flush() {
        super.flush();
        return this;
    }
}
