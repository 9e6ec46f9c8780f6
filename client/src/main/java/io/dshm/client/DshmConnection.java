package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.proto.text.ProtocolException;
import io.dshm.proto.text.ReplyDecoder;
import io.dshm.proto.text.RequestEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One connection to one node. Not thread-safe: one thread at a time.
 *
 * <p>A method that names a command sends it, and waits for its reply. To have several under way, {@link #send} them,
 * then {@link #receive} as many replies, which come in the order of the commands; a caller who never receives must not
 * send without end, because a server stops reading from a client that does not read.
 *
 * <p>Every method throws {@link CommandFailedException} when the server answers with an error, and the connection goes
 * on. Any other {@code IOException} (time-outs among them) leaves replies behind that nobody can tell apart any more:
 * the connection is closed then, and every later call fails.
 *
 * <p>Keys are sent as they are, the region included ({@code region::key}). One with a space or a control character is
 * refused with an {@code IllegalArgumentException}: whoever has such keys percent-encodes them. A time to live of zero
 * means "never expires".
 */
public final class DshmConnection implements Closeable {

    private static final int RECEIVE_BYTES = 64 * 1024;

    /** Requests are sent in one go up to here; a larger buffer is not kept for the next one. */
    private static final int SEND_BUFFER_BYTES_MAX = 1024 * 1024;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final ReplyDecoder decoder = new ReplyDecoder(Limits.VALUE_BYTES_MAX);
    private final ByteBuf received = Unpooled.buffer(RECEIVE_BYTES);

    private DshmConnection(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
    }

    /**
     * Connects.
     *
     * @param connectTimeout how long that may take, rounded up to milliseconds; zero: without end
     * @param readTimeout how long a reply may take, rounded up to milliseconds; zero: without end
     * @throws IllegalArgumentException if one of them is negative
     */
    public static DshmConnection connect(InetSocketAddress address, Duration connectTimeout, Duration readTimeout)
            throws IOException {
        return connect(address, null, connectTimeout, readTimeout);
    }

    /**
     * Connects, with TLS if {@code tls} is not null. The handshake's steps may take as long as a reply each.
     *
     * @throws IllegalArgumentException if a timeout is negative
     */
    public static DshmConnection connect(
            InetSocketAddress address, @Nullable ClientTls tls, Duration connectTimeout, Duration readTimeout)
            throws IOException {
        if (connectTimeout.isNegative() || readTimeout.isNegative()) {
            throw new IllegalArgumentException("a timeout is negative");
        }
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(timeoutMillis(readTimeout));
            socket.connect(address, timeoutMillis(connectTimeout));
            return new DshmConnection(tls == null ? socket : tls.over(socket, address.getHostString()));
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Says who is connected, once, before anything else; a cluster with {@code auth} on lets nobody else do anything.
     *
     * @param secret any bytes
     * @throws CommandFailedException with {@code denied} if there is no such user, or it has another secret
     */
    public void authenticate(String user, byte[] secret) throws IOException {
        Replies.done(call(new Command.Auth(user.getBytes(StandardCharsets.UTF_8), secret.clone())));
    }

    /**
     * Sends a command and waits for its reply; an error is a reply, too. Nothing may be under way.
     */
    public Reply call(Command command) throws IOException {
        send(command);
        return receive();
    }

    /** Sends a command without waiting for its reply: {@link #receive} has to follow some time. */
    public void send(Command command) throws IOException {
        ByteBuf request = Unpooled.buffer(256, Integer.MAX_VALUE);
        RequestEncoder.encode(command, request);
        send(request);
    }

    /** Sends commands in one go; see {@link #send(Command)}. */
    public void sendAll(Iterable<? extends Command> commands) throws IOException {
        ByteBuf requests = Unpooled.buffer(256, Integer.MAX_VALUE);
        for (Command command : commands) {
            RequestEncoder.encode(command, requests);
            if (requests.readableBytes() > SEND_BUFFER_BYTES_MAX) {
                send(requests);
                requests = Unpooled.buffer(256, Integer.MAX_VALUE);
            }
        }
        send(requests);
    }

    private void send(ByteBuf requests) throws IOException {
        try {
            requests.readBytes(out, requests.readableBytes());
        } catch (IOException e) {
            throw broken(e);
        }
    }

    /** The reply to the oldest command that has none yet; an error is a reply, too. */
    public Reply receive() throws IOException {
        try {
            for (Reply reply = decoder.decode(received); ; reply = decoder.decode(received)) {
                if (reply != null) {
                    return reply;
                }
                received.discardReadBytes();
                if (received.writeBytes(in, RECEIVE_BYTES) < 0) {
                    throw new EOFException("the server has closed the connection");
                }
            }
        } catch (ProtocolException e) {
            throw broken(new IOException(e.getMessage(), e));
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private IOException broken(IOException cause) {
        try {
            socket.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        return cause;
    }

    /** The value of a key; nothing if the key is absent. A rate limiter's value is the number of tokens left. */
    public Optional<byte[]> get(String key) throws IOException {
        return get(new Command.Get(Key.of(key)));
    }

    /** The value of a key, read in that mode, whatever that of this connection is. */
    public Optional<byte[]> get(String key, ReadMode mode) throws IOException {
        return get(new Command.Get(Key.of(key), mode));
    }

    /** From here on, reads of this connection that do not name a mode have this one. */
    public void readMode(ReadMode mode) throws IOException {
        Replies.done(call(new Command.SetReadMode(mode)));
    }

    private Optional<byte[]> get(Command.Get get) throws IOException {
        return Replies.found(call(get));
    }

    /** Stores a value, and returns it as the server has it. */
    public byte[] set(String key, byte[] value, Duration ttl) throws IOException {
        return Replies.value(call(new Command.Set(Key.of(key), millis(ttl), value)));
    }

    /** Sets the time to live of a key; nothing happens if it is absent. */
    public void touch(String key, Duration ttl) throws IOException {
        Replies.done(call(new Command.Touch(Key.of(key), millis(ttl))));
    }

    /** Removes a key, if it is there. */
    public void delete(String key) throws IOException {
        Replies.done(call(new Command.Delete(Key.of(key))));
    }

    /** Adds to a number, which is 0 and never expires if it is absent. */
    public long incr(String key, long by) throws IOException {
        return incr(key, by, 0, Duration.ZERO);
    }

    /**
     * Adds to a number; an absent one becomes {@code by + init}, and lives as long as {@code initTtl} says.
     *
     * @throws NumberFormatException if what is there is no number; it is unchanged
     */
    public long incr(String key, long by, long init, Duration initTtl) throws IOException {
        return Replies.number(call(new Command.Incr(Key.of(key), by, init, millis(initTtl))));
    }

    /** Takes a token of a limiter, and returns how many are left; -1 if there was none. */
    public long rateLimiter(String key, int capacity, Duration window) throws IOException {
        return Replies.number(call(new Command.RateLimiter(Key.of(key), capacity, millis(window))));
    }

    /**
     * Takes tokens of a limit, or none where it has too few.
     *
     * @param cost how many; 0 only looks, less gives back
     */
    public Decision take(String key, Policy policy, long cost) throws IOException {
        return LimitReplies.decision(call(new Command.Take(Key.of(key), policy, cost)));
    }

    /**
     * The same of a limit that the entry {@code policies::NAME} says.
     *
     * @param policy its name
     */
    public Decision take(String key, String policy, long cost) throws IOException {
        Key policyKey = Key.of(Limits.POLICY_REGION + "::" + policy);
        return LimitReplies.decision(call(new Command.Take(Key.of(key), null, policyKey, cost, false)));
    }

    /**
     * The same, and the node may decide from its own share of the limit, without a round: the limit holds, and
     * {@code remaining} and {@code reset} are estimates.
     *
     * @param cost 1 or more, to be taken from a share
     */
    public Decision takeShared(String key, Policy policy, long cost) throws IOException {
        return LimitReplies.decision(call(new Command.Take(Key.of(key), policy, null, cost, false, true)));
    }

    /**
     * Takes of several limits of one region, all or none: where one has too few tokens, none takes any.
     *
     * @param takes 1 to {@link Limits#TAKES_MAX}
     */
    public Decisions takeAll(List<Command.Take> takes) throws IOException {
        return LimitReplies.decisions(call(new Command.TakeAll(takes, 0)));
    }

    /**
     * Asks for one of {@code limit} permits, or renews the one that this holder has.
     *
     * @param holder who asks: a name that nobody else has
     * @param ttl after which the permit is free again
     */
    public Permit acquire(String key, long limit, String holder, Duration ttl) throws IOException {
        return LimitReplies.permit(call(new Command.Acquire(Key.of(key), limit, Key.of(holder), millis(ttl))));
    }

    /** Gives a permit back, if this holder has one. */
    public void release(String key, String holder) throws IOException {
        Replies.done(call(new Command.Release(Key.of(key), Key.of(holder))));
    }

    /**
     * Takes a cost that is not known for certain yet, and remembers it.
     *
     * @param hold the name of this reservation
     * @param ttl after which it stays spent
     */
    public Decision reserve(String key, Policy policy, long cost, String hold, Duration ttl) throws IOException {
        Command.Take take = new Command.Take(Key.of(key), policy, cost);
        return LimitReplies.decision(call(new Command.Reserve(take, Key.of(hold), millis(ttl))));
    }

    /** Tells the true cost of a reservation: the difference goes back, or is taken even beyond the limit. */
    public Decision settle(String key, String hold, long cost) throws IOException {
        return LimitReplies.decision(call(new Command.Settle(Key.of(key), Key.of(hold), cost)));
    }

    /**
     * Asks for a share: tokens that the holder spends by itself.
     *
     * @param want how many at most
     * @param min fewer than so many are no use
     */
    public Share grant(String key, Policy policy, String holder, long want, long min) throws IOException {
        Command.Take take = new Command.Take(Key.of(key), policy, want);
        return LimitReplies.share(call(new Command.Grant(take, Key.of(holder), min)));
    }

    /**
     * Gives back what a holder has not spent of its shares. After an error of which it is not known whether it took
     * effect this must not be said again.
     */
    public void giveBack(String key, String holder, long unused) throws IOException {
        Replies.done(call(new Command.Return(Key.of(key), Key.of(holder), unused)));
    }

    /** Empties a region; an empty name is the default region. */
    public void flushAll(String region) throws IOException {
        Replies.done(call(new Command.FlushAll(region.getBytes(StandardCharsets.UTF_8))));
    }

    /** Takes leave of the server, and closes. */
    public void quit() throws IOException {
        Replies.done(call(Command.Quit.QUIT));
        close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** For a socket zero is "without end": what is above it never becomes that. */
    private static int timeoutMillis(Duration timeout) {
        return timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) >= 0
                ? Integer.MAX_VALUE
                : (int) timeout.plusNanos(999_999).toMillis();
    }

    /** A time to live above zero never becomes zero, which would mean "never". */
    static long millis(Duration duration) {
        return duration.isZero() ? 0 : Math.max(1, duration.toMillis());
    }
}
