package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.dshm.proto.text.PartialValue;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.replication.contracts.ReplyListener;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The order of one connection's requests. Confined to its event loop.
 *
 * <p>Writes are outstanding, in the order of their requests, until their replies are known and written, and so are
 * linearizable reads; but never both at once. Everything else is a barrier: it waits until nothing is outstanding, and
 * what comes after it is not even decoded before it is done. A large write is a barrier, too: it goes to the log by
 * another path, where it could overtake a small one.
 */
final class RequestOrder {

    private final ArrayDeque<Outstanding> outstanding = new ArrayDeque<>();
    private final MemoryBudget requests;
    private final UnreadReplies unread;
    private final CommandCounts counts;
    private final Refusals refusals;
    private final SocketAddress client;

    /** Called when the reply to the oldest request is known. */
    private final Runnable onReply;

    /** Called when there will be no reply to a request. */
    private final Consumer<RuntimeException> onBroken;

    /** Whether what is {@link #outstanding} are reads. */
    private boolean reads;

    /** What the {@link #outstanding} hold. */
    private int bytes;

    /** A request that waits until nothing is outstanding. */
    private @Nullable Request barrier;

    /** A large write is on its way: what follows it waits. */
    private boolean largeWrite;

    private boolean closed;

    /**
     * Nothing is outstanding.
     *
     * @param requests what large requests are counted against until their replies are known
     * @param unread counts replies that are known and have to wait
     * @param counts is told how commands ended
     * @param refusals is told what limits say to this client
     */
    RequestOrder(
            MemoryBudget requests,
            UnreadReplies unread,
            CommandCounts counts,
            Refusals refusals,
            SocketAddress client,
            Runnable onReply,
            Consumer<RuntimeException> onBroken) {
        this.requests = requests;
        this.unread = unread;
        this.counts = counts;
        this.refusals = refusals;
        this.client = client;
        this.onReply = onReply;
        this.onBroken = onBroken;
    }

    /** Whether one more request may be decoded. */
    boolean takesMore() {
        return barrier == null
                && !largeWrite
                && outstanding.size() < Limits.CONNECTION_WRITES_OUTSTANDING_MAX
                && bytes < Limits.CONNECTION_BYTES_OUTSTANDING_MAX;
    }

    boolean isEmpty() {
        return outstanding.isEmpty() && barrier == null;
    }

    /** Whether this request may be outstanding together with those that are. If not, it becomes a {@link #barrier}. */
    boolean joins(Request request, boolean linearizableRead) {
        return outstanding.isEmpty()
                || (reads ? linearizableRead : request instanceof Command.Write write && !isLarge(write));
    }

    /** Takes a request that has to wait until nothing is outstanding. */
    void setBarrier(Request request) {
        barrier = request;
    }

    /** The request that had to wait and need not any more, which is handed over; or null. */
    @Nullable
    Request takeBarrier() {
        if (!outstanding.isEmpty()) {
            return null;
        }
        Request due = barrier;
        barrier = null;
        return due;
    }

    /** Takes a write or a linearizable read; returns who is to be told its reply. */
    ReplyListener add(Command command) {
        Outstanding waiting = new Outstanding(command);
        outstanding.add(waiting);
        reads = command instanceof Command.Read;
        bytes += waiting.heldBytes;
        largeWrite = command instanceof Command.Write write && isLarge(write);
        return waiting;
    }

    private static boolean isLarge(Command.Write write) {
        return write.dataBytes() > Limits.INLINE_VALUE_BYTES_MAX;
    }

    /** The reply to the oldest request, which is handed over; null if it is not known or there is none. */
    @Nullable
    Reply takeReply() {
        Outstanding first = outstanding.peek();
        if (first == null || first.reply == null) {
            return null;
        }
        outstanding.remove();
        bytes -= first.heldBytes;
        if (outstanding.isEmpty()) {
            largeWrite = false;
        }
        return first.take();
    }

    /** The connection has ended. Replies to what is outstanding may still come. */
    void close() {
        closed = true;
        outstanding.forEach(Outstanding::forget);
        outstanding.clear();
        if (barrier != null) {
            drop(barrier);
        }
        barrier = null;
    }

    /** Gives back what a request holds of the budget: it is answered, or not to be handled. */
    void drop(Request request) {
        int held = RequestDecoder.budgetOf(request);
        if (held > 0) {
            requests.release(held);
        }
    }

    /** A write or a linearizable read between its request and its reply. */
    private final class Outstanding implements ReplyListener {

        private final int heldBytes;

        /** What the budget has to get back. */
        private int reserved;

        private final boolean isRead;
        private final CommandKind kind;
        private final @Nullable Command limited;
        private final long sinceNanos = counts.begunNanos();
        private @Nullable Reply reply;

        /** Whether the reply counts as waiting. */
        private boolean held;

        Outstanding(Command command) {
            this.isRead = command instanceof Command.Read;
            this.kind = CommandKind.of(command);
            Command bare = CommandKind.without(command);
            this.limited = Refusals.isLimited(bare) ? bare : null;
            this.heldBytes = command.heldBytes();
            this.reserved = PartialValue.budgetOf(heldBytes);
        }

        @Override
        public void onReply(Reply known) {
            giveBack();
            counts.answered(kind, known, sinceNanos);
            if (isRead) {
                counts.read(CommandCounts.ReadWay.LINEARIZABLE);
            }
            if (limited != null) {
                refusals.answered(limited, known, client);
            }
            if (limited instanceof Command.Take take) {
                counts.taken(take, known);
            }
            if (closed) {
                return;
            }
            reply = isRead ? unread.admit(known) : known;
            if (outstanding.peek() == this) {
                onReply.run();
            }
            if (reply != null && !closed) {
                held = true;
                unread.hold(reply);
            }
        }

        @Override
        public void onBroken(RuntimeException thrown) {
            giveBack();
            if (!closed) {
                onBroken.accept(thrown);
            }
        }

        private void giveBack() {
            if (reserved > 0) {
                requests.release(reserved);
                reserved = 0;
            }
        }

        @Nullable
        Reply take() {
            Reply known = reply;
            forget();
            return known;
        }

        void forget() {
            if (held && reply != null) {
                unread.release(reply);
            }
            held = false;
            reply = null;
        }
    }
}
