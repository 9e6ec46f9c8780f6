package io.dshm.client;

import io.dshm.client.internal.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The nodes of a client, the nearest first, and which of them gets the calls. Of the event loop. */
final class NodeChoice {

    /** If a node is not connected to after that time, the next one is connected to as well. */
    static final long HEAD_START_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final List<Node> nodes = new ArrayList<>();
    private @Nullable Node chosen;
    private boolean hedges;
    private boolean closed;

    NodeChoice(Core core, List<Endpoint> endpoints) {
        endpoints.forEach(endpoint -> nodes.add(new Node(core, endpoint)));
    }

    /** From now on two nodes are connected to. */
    void hedge() {
        hedges = true;
    }

    /** The first node in the order that is up and well, else one that is up; sees to connections. */
    @Nullable
    Node choose() {
        long now = System.nanoTime();
        Node up = null;
        Node well = null;
        int connecting = 0;
        int ready = 0;
        for (Node node : nodes) {
            boolean wanted = well == null || (hedges && ready < 2);
            if (closed || !wanted) {
                continue;
            }
            if (node.isUp()) {
                ready++;
                up = up == null ? node : up;
                well = well == null && node.isWell(now) ? node : well;
            } else if (node.isConnecting()) {
                connecting += node.forNanos(now) < HEAD_START_NANOS ? 1 : 0;
            } else if (connecting == 0 && !node.rests(now)) {
                connecting++;
                node.connect();
            }
        }
        Node next = well == null ? up : well;
        if (next != chosen) {
            chosen = next;
            if (next != null) {
                next.tell(NodeEvent.State.CHOSEN, "");
            }
        }
        return next;
    }

    /**
     * Whether all that can be reached do not accept this client. One that is away now, and has accepted it, may do so
     * again.
     */
    boolean areDenied() {
        return nodes.stream().noneMatch(node -> node.isConnecting() || node.hasAccepted())
                && nodes.stream().anyMatch(Node::isDenied);
    }

    /** One that could answer a read as well as the one that was asked; null if there is none now. */
    @Nullable
    Node other(@Nullable Node than) {
        for (Node node : nodes) {
            if (node != than && node.isUp() && node.fast().hasRoom()) {
                return node;
            }
        }
        return null;
    }

    /** What is under way anywhere. */
    void forEachCall(Consumer<Call<?>> action) {
        nodes.forEach(node -> node.links().forEach(link -> link.forEach(action)));
    }

    /**
     * Closes connections on which something stands whose deadline is over and that the socket has not taken: so it is
     * never sent.
     */
    void takeBackUnsent(long nowNanos) {
        for (Node node : nodes) {
            for (Link link : List.copyOf(node.links())) {
                if (link.hasUnsent(nowNanos)) {
                    node.lost("it does not read");
                }
            }
        }
    }

    /** Looks whether nodes live; returns whether that has to be done again soon. */
    boolean beat(long nowNanos) {
        boolean busy = false;
        for (Node node : nodes) {
            busy |= node.beat(nowNanos);
        }
        return busy;
    }

    /** What went wrong last, of each. */
    String troubles() {
        return nodes.stream().map(Node::trouble).collect(Collectors.joining(", "));
    }

    void close() {
        closed = true;
        nodes.forEach(Node::close);
    }

    void tellClosed() {
        nodes.forEach(node -> node.tell(NodeEvent.State.CLOSED, ""));
    }
}
