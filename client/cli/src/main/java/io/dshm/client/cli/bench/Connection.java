package io.dshm.client.cli.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** A pipelined connection of a worker. Of one thread. */
final class Connection {

    private static final int READ_BYTES = 16 * 1024;

    private final int pipeline;
    private final Flight[] flights;
    final Bytes in = new Bytes();
    final Bytes out = new Bytes();
    private ByteBuffer reading = ByteBuffer.wrap(in.array);
    private ByteBuffer writing = ByteBuffer.wrap(out.array);

    private final Security.@Nullable Tls tls;
    private @Nullable TlsStream stream;

    @Nullable
    SocketChannel channel;

    @Nullable
    SelectionKey key;

    @Nullable
    Dialect dialect;

    /** Among its worker's. */
    final int index;

    int endpoint;
    /** When to connect again, if there is no channel. */
    long retryAt;
    /** Whether it stands in the worker's queue of those with room. */
    boolean queued;
    /** Whether it has something to write that nobody waits for yet. */
    boolean dirty;

    private long next;
    private long oldest;
    private int outstanding;

    Connection(int index, int pipeline, int endpoint, Security.@Nullable Tls tls) {
        this.tls = tls;
        this.index = index;
        this.pipeline = pipeline;
        this.endpoint = endpoint;
        // Twice as many, for protocols whose replies come in any order.
        flights = new Flight[Integer.highestOneBit(Math.max(1, pipeline * 2 - 1)) * 2];
        for (int i = 0; i < flights.length; i++) {
            flights[i] = new Flight();
        }
    }

    /** Connects; waits for it. */
    void connect(InetSocketAddress address, Selector selector, int timeoutMillis, Dialect spoken) throws IOException {
        SocketChannel opened = SocketChannel.open();
        try {
            opened.socket().connect(address, timeoutMillis);
            opened.configureBlocking(false);
            secure(address);
            if (stream != null) {
                stream.shakeHands(opened, timeoutMillis);
            }
        } catch (IOException e) {
            opened.close();
            throw e;
        }
        use(opened, selector, SelectionKey.OP_READ);
        connected(spoken);
    }

    /** Begins to connect again; {@link #finish} is for when the selector says that it is done. */
    void reconnect(InetSocketAddress address, Selector selector) throws IOException {
        SocketChannel opened = SocketChannel.open();
        opened.configureBlocking(false);
        try {
            opened.connect(address);
        } catch (IOException e) {
            opened.close();
            throw e;
        }
        secure(address);
        use(opened, selector, SelectionKey.OP_CONNECT);
    }

    private void secure(InetSocketAddress address) {
        stream = tls == null ? null : new TlsStream(tls.engine(address.getHostString(), address.getPort()));
    }

    private void use(SocketChannel opened, Selector selector, int interest) throws IOException {
        opened.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel = opened;
        key = opened.register(selector, interest, this);
    }

    /** After it was connected again. */
    void finish(Dialect spoken) throws IOException {
        Checks.there(channel).finishConnect();
        Checks.there(key).interestOps(SelectionKey.OP_READ);
        connected(spoken);
    }

    private void connected(Dialect spoken) {
        dialect = spoken;
        in.clear();
        out.clear();
        next = 0;
        oldest = 0;
        outstanding = 0;
        spoken.hello(out);
    }

    boolean isUp() {
        return dialect != null;
    }

    boolean hasRoom() {
        return dialect != null && outstanding < pipeline && next - oldest < flights.length;
    }

    int outstanding() {
        return outstanding;
    }

    /** The place of the next request, which is on its way from now on. */
    Flight take() {
        outstanding++;
        Flight flight = flights[(int) next++ & (flights.length - 1)];
        flight.finished = false;
        flight.stores = false;
        flight.endpoint = endpoint;
        return flight;
    }

    /** The request of a reply, which is not on its way any more; null if there is none. */
    @Nullable
    Flight settle(long number) {
        long of = number < 0 ? oldest : number;
        if (of < oldest || of >= next || flight(of).finished) {
            return null;
        }
        Flight flight = flight(of);
        flight.finished = true;
        outstanding--;
        while (oldest < next && flight(oldest).finished) {
            oldest++;
        }
        return flight;
    }

    private Flight flight(long number) {
        return flights[(int) number & (flights.length - 1)];
    }

    /** When the oldest request was sent that has no reply; the greatest number if there is none. */
    long oldestSent() {
        return outstanding == 0 ? Long.MAX_VALUE : flight(oldest).sent;
    }

    /** Reads what has come. False if nothing more will come. */
    boolean read() throws IOException {
        if (stream != null) {
            return stream.read(Checks.there(channel), in);
        }
        in.ensure(READ_BYTES);
        if (reading.array() != in.array) {
            reading = ByteBuffer.wrap(in.array);
        }
        reading.limit(in.array.length).position(in.to);
        int bytes = Checks.there(channel).read(reading);
        in.to += Math.max(0, bytes);
        return bytes >= 0;
    }

    /** Writes what can be written now, and the rest when there is room. */
    void write() throws IOException {
        if (writing.array() != out.array) {
            writing = ByteBuffer.wrap(out.array);
        }
        writing.limit(out.to).position(out.from);
        SocketChannel to = Checks.there(channel);
        boolean goesOn;
        if (stream == null) {
            to.write(writing);
            goesOn = writing.hasRemaining();
        } else {
            goesOn = stream.write(to, writing);
        }
        out.from = writing.position();
        SelectionKey registered = Checks.there(key);
        int wanted = SelectionKey.OP_READ | (goesOn ? SelectionKey.OP_WRITE : 0);
        if (registered.interestOps() != wanted) {
            registered.interestOps(wanted);
        }
    }

    /** Closes the channel; requests that are on their way stay so, and have to be settled. */
    void close() {
        SocketChannel closing = channel;
        channel = null;
        dialect = null;
        if (closing != null) {
            try {
                closing.close();
            } catch (IOException e) {
                in.clear(); // it is of no use any more, closed or not
            }
        }
    }
}
