package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.CommandVisitor;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.SocketEnds;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.shares.Share;
import io.dshm.server.shares.Shares;
import io.dshm.server.store.Cursor;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection. Confined to its event loop.
 *
 * <p>How it works: {@link #goOn} decodes and handles requests and writes replies, one after the other, as far as it
 * can; it is called whenever something has changed. {@link RequestOrder} says which request may be handled and whose
 * reply is next, {@link ReplyOutput} whether the client takes one. For one client this node holds at most a bounded
 * number of outstanding commands, one decoded request, the socket's buffers, and replies that are counted.
 */
final class TextConnection extends ChannelInboundHandlerAdapter implements ClientConnection {

    private static final Others OTHERS = new Others();
    private static final Logger LOG = LoggerFactory.getLogger(TextConnection.class);

    /** An unfinished request must bring at least so many bytes between two checks. */
    private static final int PROGRESS_BYTES = 1024;

    private static final Reply.Failure TOO_MANY_IDENTITIES =
            new Reply.Failure(ErrorCode.BUSY, "too many clients of this address have an identity of their own");

    private final Channel channel;
    private final Lane lane;
    private final Shares shares;
    private final LocalReads reads;
    private final RequestDecoder decoder;
    private final ClientIdentities.OfConnection identities;
    private final Access access;
    private final ConnectionSet connections;
    private final ReceivedBytes received;
    private final UnreadReplies unread;
    private final CommandCounts counts;
    private final HotKeys hotKeys;
    private final RequestOrder order;
    private final ReplyOutput output;
    private final Turn turn;

    /** Where a value that is read stands, while it is copied. */
    private final Cursor found = new Cursor();

    /** For reads that do not name a mode. */
    private ReadMode readMode;

    private boolean sharesAllowed;

    /** Nothing more may be decoded until the present request is answered: a read that waits for this node's store. */
    private boolean suspended;

    /** The client has closed its sending side. */
    private boolean inputEnded;

    /** No more requests are handled. */
    private boolean closing;

    /** True while {@link #goOn} runs. */
    private boolean going;

    private int stalledInputChecks;
    private int stalledOutputChecks;

    /** For how many checks the client has not said who it is, although it has to. */
    private int strangerChecks;

    private long bytesSinceCheck;

    /**
     * Equips a connection.
     *
     * @param shares the shares of this lane
     * @param requests the budget for large requests of all connections, from their arrival to their reply
     * @param readMode the mode of reads until the client or a read names another
     */
    TextConnection(
            Channel channel,
            Lane lane,
            Shares shares,
            int valueBytesMax,
            MemoryBudget requests,
            ReadMode readMode,
            ClientIdentities identities,
            AccessLog accessLog,
            ConnectionSet connections) {
        this.channel = channel;
        this.lane = lane;
        this.shares = shares;
        this.reads = lane.reads();
        this.identities = identities
        .new OfConnection(channel.remoteAddress() instanceof InetSocketAddress client ? client.getAddress() : null);
        Access of = new Access(reads::users, accessLog, this);
        this.access = of;
        this.decoder = new RequestDecoder(valueBytesMax, requests, of::takesData);
        this.connections = connections;
        this.received = new ReceivedBytes(requests);
        this.unread = connections.newUnreadReplies();
        this.counts = connections.counts();
        this.hotKeys = connections.hotKeys();
        this.order = new RequestOrder(
                requests,
                unread,
                counts,
                connections.refusals(),
                channel.remoteAddress(),
                this::onChange,
                this::onFailure);
        this.output = new ReplyOutput(channel, unread, counts.bytesSent(), this::onChange);
        this.turn = new Turn(channel, this::onChange);
        this.readMode = readMode;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        connections.add(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        discard();
    }

    /** Releases everything that is held for the client. May be called more than once. */
    private void discard() {
        closing = true;
        connections.remove(this);
        decoder.close();
        order.close();
        output.discard();
        received.release();
    }

    @Override
    public void channelRead(ChannelHandlerContext reading, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (closing) {
            bytes.release();
            return;
        }
        bytesSinceCheck += bytes.readableBytes();
        counts.bytesReceived().add(bytes.readableBytes());
        turn.received(bytes.readableBytes());
        received.append(channel.alloc(), bytes);
        goOn();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext reading) {
        turn.onReadComplete();
        output.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext changed) {
        if (closing) {
            readWhileWritable();
        } else {
            onChange();
        }
    }

    /** The client has ended its side of the connection. What it has sent is answered before the connection ends. */
    @Override
    public void userEventTriggered(ChannelHandlerContext told, Object event) {
        if (event != ChannelInputShutdownEvent.INSTANCE) {
            return;
        }
        inputEnded = true;
        if (closing) {
            // The client answers our close.
            output.end(inputEnded);
        } else {
            onChange();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext failed, Throwable cause) {
        Guard.check("a connection", cause);
        onFailure(cause);
    }

    private void onFailure(Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("connection of {} lost: {}", this, cause.toString());
        } else {
            LOG.error("connection of {} closed", this, cause);
        }
        disconnect();
    }

    /** Called when something has happened that this connection may be waiting for. */
    private void onChange() {
        guarded(this::goOn);
    }

    /** Runs a callback of code that also serves other clients: an exception closes this connection only. */
    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            onFailure(e);
        }
        if (!closing) {
            output.flushSoon();
        }
    }

    /**
     * Writes replies, and decodes and handles what was received, as far as possible in this turn of the event loop.
     * Then reads on from the socket only if more may be decoded. A call from within this method returns at once.
     */
    private void goOn() {
        if (going || closing) {
            return;
        }
        boolean kept = handleAll();
        while (!kept && !closing && turn.isOver()) {
            // No room to keep the rest: handle it now. Other clients wait a little, but this one stays connected.
            turn.begin();
            kept = handleAll();
        }
        if (closing) {
            return;
        }
        if (!kept) {
            LOG.debug("closed {}: too many bytes of requests wait on this node", this);
            disconnect();
        } else if (!inputEnded) {
            channel.config().setAutoRead(mayDecode());
        } else if (mayDecode() && order.isEmpty()) {
            // At most the beginning of a request is left.
            end();
        }
    }

    /** Handles all that may be handled now. Returns false if there is no room to keep the rest. */
    private boolean handleAll() {
        going = true;
        counts.begin();
        try {
            boolean goesOn = true;
            while (goesOn && !closing && !suspended && !turn.isOver() && output.takesMore()) {
                goesOn = step();
                turn.handled(output.bytesEncoded());
            }
        } finally {
            counts.end();
            going = false;
        }
        return closing || received.keepRest(channel.alloc());
    }

    /** Writes a reply or handles a request; false if it has to wait for bytes of the client or for a reply. */
    private boolean step() {
        Reply reply = order.takeReply();
        if (reply != null) {
            turn.handling(
                    reply instanceof Reply.Several several ? several.replies().size() : 1);
            output.write(reply);
            return true;
        }
        Request due = order.takeBarrier();
        if (due != null) {
            handle(due);
            return true;
        }
        Request request = order.takesMore() ? decoder.decode(received.buffer()) : null;
        if (request != null) {
            stalledInputChecks = 0;
            handle(request);
            return true;
        }
        return false;
    }

    private boolean mayDecode() {
        return !suspended && !turn.isOver() && output.takesMore() && order.takesMore();
    }

    private void handle(Request asked) {
        turn.handling(asked.size());
        Request request = admitted(asked);
        boolean linearizable = request instanceof Command.Read read
                && !(request instanceof Command.RegionRead)
                && modeOf(read) == ReadMode.LINEARIZABLE;
        if (!order.joins(request, linearizable)) {
            order.setBarrier(request);
            return;
        }
        hotKeys.asked(request);
        if (linearizable) {
            Command.Read read = (Command.Read) request;
            lane.readLinearizable(read, checked(read, order.add(read)));
        } else if (request instanceof Command.Write write) {
            if (!takesFromShare(write)) {
                submit(write, order.add(write));
            }
        } else {
            handleAlone(request);
        }
    }

    /** The request, or the refusal that is answered in its place. */
    private Request admitted(Request request) {
        Rejection refusal = access.refusal(request);
        if (refusal == null) {
            return request;
        }
        order.drop(request);
        return refusal;
    }

    /** Checks rights again: they may have changed during the wait; a node that has just started knows no users yet. */
    private ReplyListener checked(Command.Read read, ReplyListener listener) {
        return new ReplyListener() {
            @Override
            public void onReply(Reply reply) {
                listener.onReply(checked(read, reply));
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                listener.onBroken(thrown);
            }
        };
    }

    private Reply checked(Command command, Reply reply) {
        Rejection refusal = command instanceof Command.Read ? access.refusal(command) : null;
        return refusal == null ? reply : refusal.failure();
    }

    /**
     * Answers from this node's share of the limit if the client allows it; false if the log has to decide. The log also
     * decides repeats, because it may have decided the first copy.
     */
    private boolean takesFromShare(Command.Write write) {
        Command.Take take = CommandKind.without(write) instanceof Command.Take plain ? plain : null;
        boolean isRepeat = write instanceof Command.Identified identified && identified.retry();
        if (take == null || isRepeat || !(take.share() || sharesAllowed)) {
            return false;
        }
        Share share = shares.take(take, access.credential());
        if (share == null) {
            return false;
        }
        Reply decision = share.decision(take.shadow());
        if (order.isEmpty()) {
            order.drop(write);
            output.write(decision);
            counts.answeredAtOnce(CommandKind.TAKE, decision);
            counts.taken(take, decision);
        } else {
            order.add(take).onReply(decision);
        }
        return true;
    }

    private ReadMode modeOf(Command.Read read) {
        ReadMode mode = read.mode();
        return mode == null ? readMode : mode;
    }

    private void submit(Command.Write write, ReplyListener listener) {
        Command.Write admitted = identities.admit(write, reads.format());
        if (admitted == null) {
            listener.onReply(TOO_MANY_IDENTITIES);
        } else {
            lane.submit(admitted, access.credential(), listener);
        }
    }

    /** Handles a request when no earlier one is outstanding. */
    private void handleAlone(Request request) {
        if (request instanceof Command.RegionRead read) {
            lane.regions().read(read, modeOf(read), replySuspended(read));
        } else if (request instanceof Command.Read read) {
            if (reads.isCurrent(read)) {
                answerNow(read);
            } else {
                lane.awaitRead(read, replySuspended(read));
            }
        } else if (request instanceof Rejection rejection) {
            output.write(rejection.failure());
            counts.answeredAtOnce(CommandKind.REJECTED, rejection.failure());
            if (rejection.closes()) {
                end();
            }
        } else if (request instanceof Command.Other command) {
            boolean goesOn = command.accept(this, OTHERS);
            if (!goesOn) {
                end();
            }
        }
    }

    private void answerNow(Command.Read read) {
        Reply known = reads.readAt(read, found);
        Rejection refusal = access.refusal(read);
        Reply reply = refusal != null ? refusal.failure() : known;
        if (reply == null) {
            output.writeValue(found);
            counts.foundAtOnce(CommandKind.of(read));
        } else {
            Reply admitted = unread.admit(reply);
            output.write(admitted);
            counts.answeredAtOnce(CommandKind.of(read), admitted);
        }
        found.leave();
        order.drop(read);
        counts.read(CommandCounts.ReadWay.LOCAL);
    }

    /** Handles commands that neither read nor write; false if the command ends the connection. */
    private static final class Others implements CommandVisitor.OfOther<TextConnection, Boolean> {
        @Override
        public Boolean flushExpired(Command.FlushExpired command, TextConnection connection) {
            connection
                    .lane
                    .regions()
                    .flushExpired(command, connection.access.credential(), connection.replySuspended(command));
            return true;
        }

        @Override
        public Boolean setReadMode(Command.SetReadMode command, TextConnection connection) {
            connection.readMode = command.mode();
            connection.answer(command, Reply.Done.DONE);
            return true;
        }

        @Override
        public Boolean setShares(Command.SetShares command, TextConnection connection) {
            connection.sharesAllowed = command.allowed();
            connection.answer(command, Reply.Done.DONE);
            return true;
        }

        @Override
        public Boolean auth(Command.Auth command, TextConnection connection) {
            connection.authenticate(command);
            return true;
        }

        @Override
        public Boolean ping(Command.Ping command, TextConnection connection) {
            connection.answer(command, Reply.Done.DONE);
            return true;
        }

        @Override
        public Boolean info(Command.Info command, TextConnection connection) {
            connection.answer(command, connection.lane.info());
            return true;
        }

        @Override
        public Boolean quit(Command.Quit command, TextConnection connection) {
            connection.answer(command, Reply.Done.DONE);
            return false;
        }
    }

    private void authenticate(Command.Auth command) {
        ReplyListener listener = replySuspended(command);
        lane.whenCaughtUp(
                () -> {
                    if (access.authenticate(command)) {
                        listener.tell(Reply.Done.DONE);
                    } else {
                        // Try once more a little later: another node may have added the user a moment ago.
                        channel.eventLoop()
                                .schedule(
                                        () -> listener.tell(access.authenticateOrSay(command)),
                                        Limits.WRONG_SECRET_DELAY_MILLIS,
                                        TimeUnit.MILLISECONDS);
                    }
                },
                listener);
    }

    private void answer(Command.Other command, Reply reply) {
        output.write(reply);
        counts.answeredAtOnce(CommandKind.of(command), reply);
    }

    /** Decodes nothing more until the reply has come. */
    private ReplyListener replySuspended(Command command) {
        suspended = true;
        CommandKind kind = CommandKind.of(command);
        boolean isLocal = command instanceof Command.Read read && modeOf(read) == ReadMode.LOCAL;
        long sinceNanos = counts.begunNanos();
        return new ReplyListener() {
            private boolean holds = true;

            @Override
            public void onReply(Reply known) {
                giveBack();
                guarded(() -> {
                    Reply reply = checked(command, known);
                    suspended = false;
                    counts.answered(kind, reply, sinceNanos);
                    if (command instanceof Command.Read) {
                        counts.read(isLocal ? CommandCounts.ReadWay.LOCAL_WAITED : CommandCounts.ReadWay.LINEARIZABLE);
                    }
                    output.write(unread.admit(reply));
                    goOn();
                });
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                giveBack();
                onFailure(thrown);
            }

            private void giveBack() {
                if (holds) {
                    order.drop(command);
                    holds = false;
                }
            }
        };
    }

    /** Handles no more requests, sends the replies that there are, and ends the connection. */
    private void end() {
        closing = true;
        received.release();
        readWhileWritable();
        output.end(inputEnded);
    }

    /** While the connection ends: with TLS, there may be answers to what a client sends that does not read. */
    private void readWhileWritable() {
        channel.config().setAutoRead(channel.isWritable());
    }

    /**
     * Called every few seconds. Closes a connection whose request has hardly grown for too many checks, or whose
     * client reads none of its replies. A byte now and then is no progress: the client could hold the memory of the
     * request for ever.
     */
    @Override
    public void checkProgress(int checksMax) {
        boolean begun = !closing && (decoder.midRequest() || !received.isEmpty());
        boolean arrives = bytesSinceCheck >= PROGRESS_BYTES;
        bytesSinceCheck = 0;
        stalledInputChecks = begun && !arrives && mayDecode() ? stalledInputChecks + 1 : 0;
        stalledOutputChecks = output.progresses() ? 0 : stalledOutputChecks + 1;
        boolean stranger = !access.takesData() && !suspended && order.isEmpty();
        strangerChecks = stranger ? strangerChecks + 1 : 0;
        if (stalledInputChecks > checksMax) {
            LOG.debug("closed {}: it began a request and did not go on", this);
            disconnect();
        } else if (stalledOutputChecks > checksMax) {
            LOG.debug("closed {}: it does not read its replies", this);
            disconnect();
        } else if (strangerChecks > checksMax) {
            LOG.debug("closed {}: it does not say who it is", this);
            disconnect();
        } else if (access.isGone()) {
            finish();
        }
    }

    @Override
    public void finish() {
        if (order.isEmpty() && !suspended && !turn.isOver() && output.takesMore() && !closing) {
            end();
        } else if (!closing) {
            channel.config().setAutoRead(false);
        }
    }

    @Override
    public UnreadReplies unread() {
        return unread;
    }

    @Override
    public void disconnect() {
        discard();
        SocketEnds.drop(channel);
    }

    @Override
    public String toString() {
        return String.valueOf(channel.remoteAddress());
    }
}
