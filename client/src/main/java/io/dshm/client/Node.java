package io.dshm.client;

import io.dshm.client.internal.Endpoint;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A node with its connections. Of the event loop.
 *
 * <p>It has one connection for what it answers at once, and one or more for what may have to wait for other nodes. So a
 * read does not wait behind a write, and the first one tells whether the node lives: a node that answers nothing there
 * for a while stands still, however long a write may take.
 */
final class Node {

    private static final long PAUSE_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int PAUSE_DOUBLINGS_MAX = 8;

    /** After so long a time, a connection that ends is opened again at once. */
    private static final long PROVEN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private enum State {
        IDLE,
        CONNECTING,
        UP
    }

    private final Core core;
    private final Endpoint endpoint;
    private final List<Link> links = new ArrayList<>();

    private State state = State.IDLE;
    private int ready;
    private int failures;
    private int addressesTried;
    private long sinceNanos;
    private long restUntilNanos;
    /** What it said about this client when it was reached last; neither before that. */
    private boolean accepted;

    private boolean denied;
    /** Whether it has to know a leader again before it is preferred; and whether it was asked. */
    private boolean doubtful;

    private boolean asked;
    private String trouble = "not tried";

    Node(Core core, Endpoint endpoint) {
        this.core = core;
        this.endpoint = endpoint;
        this.restUntilNanos = System.nanoTime();
        this.sinceNanos = restUntilNanos;
    }

    boolean isUp() {
        return state == State.UP;
    }

    boolean isConnecting() {
        return state == State.CONNECTING;
    }

    /** Whether it should not be asked now, because it lately could not do what it was asked. */
    boolean rests(long nowNanos) {
        return restUntilNanos - nowNanos > 0;
    }

    /** Whether it can do all it may be asked, as far as is known. Where that is in doubt it is asked, after a rest. */
    boolean isWell(long nowNanos) {
        if (rests(nowNanos)) {
            return false;
        }
        if (doubtful && !asked) {
            asked = true;
            fast().ask(Command.Info.INFO);
        }
        return !doubtful;
    }

    /** How long it has been in its state. */
    long forNanos(long nowNanos) {
        return nowNanos - sinceNanos;
    }

    /** Whether it accepted this client when it was reached last. */
    boolean hasAccepted() {
        return accepted;
    }

    /** Whether it did not accept this client when it was reached last. */
    boolean isDenied() {
        return denied;
    }

    /** What went wrong last, with its name. */
    String trouble() {
        return endpoint + ": " + trouble;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** For what is answered at once. */
    Link fast() {
        return links.get(0);
    }

    /** The one with the least under way, for what may take time. */
    Link slow() {
        Link least = links.get(1);
        for (int i = 2; i < links.size(); i++) {
            if (links.get(i).underWay() < least.underWay()) {
                least = links.get(i);
            }
        }
        return least;
    }

    List<Link> links() {
        return links;
    }

    /** Opens all its connections. */
    void connect() {
        become(State.CONNECTING);
        tell(NodeEvent.State.CONNECTING, "");
        ready = 0;
        core.pumpAt(sinceNanos + NodeChoice.HEAD_START_NANOS);
        core.lookUp(endpoint.host(), this::connect, this::lost);
    }

    private void connect(List<InetAddress> addresses) {
        if (state != State.CONNECTING || !links.isEmpty()) {
            return;
        }
        InetAddress address = addresses.get(addressesTried++ % addresses.size());
        for (int i = 0; i < 1 + core.settings.connections(); i++) {
            links.add(new Link(core, this, i == 0));
        }
        List.copyOf(links).forEach(link -> link.connect(address, endpoint.port()));
    }

    /** One of its connections can be used. */
    void ready(Link link) {
        if (state == State.CONNECTING && links.contains(link) && ++ready == links.size()) {
            become(State.UP);
            accepted = true;
            denied = false;
            asked = false;
            tell(NodeEvent.State.UP, "");
            core.pump();
        }
    }

    /** One of its connections has ended, or cannot be opened. */
    void lost(String reason) {
        down(NodeEvent.State.DOWN, reason);
    }

    void stalled() {
        down(NodeEvent.State.STALLED, "stands still");
    }

    void denied(String reason) {
        accepted = false;
        denied = true;
        down(NodeEvent.State.DENIED, reason);
    }

    private void down(NodeEvent.State how, String reason) {
        if (state == State.IDLE) {
            return;
        }
        long now = System.nanoTime();
        boolean proven = state == State.UP && forNanos(now) > PROVEN_NANOS && how == NodeEvent.State.DOWN;
        become(State.IDLE);
        failures = proven ? 0 : failures + 1;
        pause(now, proven ? 0 : failures);
        trouble = reason;
        tell(how, reason);
        List<Link> ended = List.copyOf(links);
        links.clear();
        ended.forEach(Link::close);
        core.pump();
    }

    /** It has said that it cannot do something that another node may. */
    void unwell(ErrorCode code) {
        asked = false;
        trouble = code.wireName();
        if (!doubtful) {
            tell(NodeEvent.State.UNWELL, code.wireName());
        }
        doubtful = true;
        if (!rests(System.nanoTime())) {
            failures++;
            pause(System.nanoTime(), failures);
        }
    }

    /** It has done something. */
    void well() {
        failures = 0;
    }

    private void pause(long now, int times) {
        long longest = times == 0 ? 0 : PAUSE_MIN_NANOS << Math.min(times, PAUSE_DOUBLINGS_MAX);
        // A random part, so that not all clients of a node come back to it at the same moment.
        restUntilNanos = now
                + longest / 2
                + (longest == 0 ? 0 : ThreadLocalRandom.current().nextLong(longest / 2));
        core.pumpAt(restUntilNanos);
    }

    private void become(State next) {
        state = next;
        sinceNanos = System.nanoTime();
    }

    /** Asks whether it lives, if something is under way; tells whether that is so. */
    boolean beat(long nowNanos) {
        if (state == State.CONNECTING) {
            if (forNanos(nowNanos) > core.settings.connectTimeout().toNanos()) {
                lost("no connection within " + core.settings.connectTimeout().toMillis() + " ms");
            }
            return true;
        }
        if (state != State.UP) {
            return false;
        }
        boolean busy = links.stream().anyMatch(link -> link.underWay() > 0);
        if (busy
                && fast().underWay() > 0
                && fast().silentNanos(nowNanos) > core.settings.stallTimeout().toNanos()) {
            stalled();
        } else if (busy && !fast().isPinged()) {
            fast().ask(Command.Ping.PING);
        }
        return busy;
    }

    /** What a node has said about itself when it was connected to. */
    void greeted(Link link, Reply reply) {
        if (reply instanceof Reply.Detailed detailed && detailed.detail("leader") == null) {
            unwell(ErrorCode.NO_LEADER);
        } else {
            doubtful = false;
        }
        ready(link);
    }

    void close() {
        become(State.IDLE);
        restUntilNanos = Long.MAX_VALUE;
        List<Link> ended = List.copyOf(links);
        links.clear();
        ended.forEach(Link::close);
    }

    void tell(NodeEvent.State what, String reason) {
        core.tell(new NodeEvent(endpoint.toString(), what, reason));
    }
}
