package io.dshm.client;

import io.dshm.client.internal.Endpoint;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a {@link DshmClient} is made of. Everything but {@link #endpoints} has a value that is good for most. */
public final class DshmClientBuilder {

    private static final Duration LONGEST = Duration.ofDays(1);

    private static final int PORT_DEFAULT = 4321;

    private List<Endpoint> endpoints = List.of(new Endpoint("127.0.0.1", PORT_DEFAULT));
    private AddressResolver resolver = host -> List.of(InetAddress.getAllByName(host));
    private @Nullable ClientTls tls;
    private @Nullable String auth;
    private int connections = 1;
    private Duration connectTimeout = Duration.ofSeconds(2);
    private Duration stallTimeout = Duration.ofSeconds(2);
    private Duration deadline = Duration.ofSeconds(6);
    private int outstandingMax = 10_000;
    private int outstandingBytesMax = 64 * 1024 * 1024;
    private boolean waitsForRoom;
    private @Nullable Executor callbacks;
    private Consumer<NodeEvent> listener = event -> {};
    private @Nullable Observer observer;

    DshmClientBuilder() {}

    /**
     * Where the nodes listen, {@code HOST:PORT} each, the nearest first: all calls go to the first one that is well.
     * When a nearer one is well again, new calls go there. {@code 127.0.0.1:4321} unless set.
     */
    public DshmClientBuilder endpoints(String... nearestFirst) {
        if (nearestFirst.length == 0) {
            throw new IllegalArgumentException("no endpoints");
        }
        endpoints = Stream.of(nearestFirst)
                .map(text -> Endpoint.parse(text, PORT_DEFAULT))
                .toList();
        return this;
    }

    /** How names are looked up; as the JVM does it unless set. */
    public DshmClientBuilder resolver(AddressResolver newResolver) {
        resolver = newResolver;
        return this;
    }

    /** Connects with TLS. */
    public DshmClientBuilder tls(ClientTls newTls) {
        tls = newTls;
        return this;
    }

    /** Who this client is; told first on each connection. */
    public DshmClientBuilder credentials(String user, String secret) {
        auth = "AUTH " + Keys.word(user) + " " + Keys.word(secret) + "\r\n";
        return this;
    }

    /**
     * Connections to a node for what may have to wait there, 1 unless set: a node has 1,024 of that under way on each.
     * One more is for local reads.
     */
    public DshmClientBuilder connections(int count) {
        if (count < 1 || count > 64) {
            throw new IllegalArgumentException("1 to 64 connections, not " + count);
        }
        connections = count;
        return this;
    }

    /**
     * How long a connection may take to be usable, 2 s unless set. After a quarter of a second the next node is tried
     * as well.
     */
    public DshmClientBuilder connectTimeout(Duration timeout) {
        connectTimeout = requirePositive(timeout);
        return this;
    }

    /**
     * A node that answers neither a local read nor {@code PING} for so long stands still: its connections are closed,
     * and another node takes its place. 2 s unless set. A write may take longer, where the cluster is slow: that is no
     * reason to leave a node that lives.
     */
    public DshmClientBuilder stallTimeout(Duration timeout) {
        stallTimeout = requirePositive(timeout);
        return this;
    }

    /**
     * How long a call may take, with all its repeats; 6 s unless set, a little more than a node takes to say that it
     * timed out.
     */
    public DshmClientBuilder deadline(Duration newDeadline) {
        deadline = requirePositive(newDeadline);
        return this;
    }

    /** How many calls may be outstanding, 10,000 unless set. */
    public DshmClientBuilder outstanding(int calls) {
        if (calls < 1) {
            throw new IllegalArgumentException("1 or more outstanding calls, not " + calls);
        }
        outstandingMax = calls;
        return this;
    }

    /** About how many bytes their requests may take, 64 MiB unless set. */
    public DshmClientBuilder outstandingBytes(int bytes) {
        if (bytes < 1024) {
            throw new IllegalArgumentException("1024 or more bytes, not " + bytes);
        }
        outstandingBytesMax = bytes;
        return this;
    }

    /**
     * What is done with a call for which there is no room: it fails at once with an {@link UnavailableException},
     * unless set; or its thread waits, as long as the deadline lets it. The event loop never waits.
     */
    public DshmClientBuilder waitForRoom(boolean waits) {
        waitsForRoom = waits;
        return this;
    }

    /**
     * Where outcomes are set, and so what follows them runs; on the event loop unless set. It must not refuse anything.
     */
    public DshmClientBuilder callbacks(Executor executor) {
        callbacks = executor;
        return this;
    }

    /** Sees what happens to the links to all nodes, on the event loop, in its order. It must not block. */
    public DshmClientBuilder listener(Consumer<NodeEvent> newListener) {
        listener = newListener;
        return this;
    }

    /** Sees all calls, for metrics and traces. */
    public DshmClientBuilder observer(Observer newObserver) {
        observer = newObserver;
        return this;
    }

    /** Makes the client. It connects with its first call. */
    public DshmClient build() {
        Settings settings = new Settings(
                endpoints,
                resolver,
                tls,
                auth,
                connections,
                connectTimeout,
                stallTimeout,
                outstandingMax,
                outstandingBytesMax,
                waitsForRoom,
                callbacks,
                listener,
                observer);
        return new DshmClient(new Core(settings), new CallOptions(deadline, null, 0));
    }

    static Duration requirePositive(Duration duration) {
        if (duration.isZero() || duration.isNegative() || duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("a time of more than zero and at most a day, not " + duration);
        }
        return duration;
    }
}
