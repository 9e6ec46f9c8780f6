package io.dshm.server.statemachine;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.server.statemachine.Client.Frozen;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes commands of clients with an identity take effect once, even if a client repeats one through another node: the
 * table of outcomes that a client may still ask for again.
 *
 * <p>There are two kinds of clients:
 *
 * <ul>
 *   <li><b>Plain</b> ones do not mark repeats. A late copy looks like a first one, so no such client is forgotten
 *       before it has been silent for {@link Limits#CLIENT_IDLE_MILLIS}; while there is no room, a new client is
 *       refused.
 *   <li><b>Marking</b> ones, since format 2, say which outcomes they know ({@code client_done}) and which copies are
 *       repeats ({@code client_retry}). They share {@link Limits#CLIENTS_BYTES_MAX} bytes, and none is ever refused.
 * </ul>
 *
 * <p><b>Why no command of a marking client takes effect twice.</b> A client sends a command once unmarked, to one node;
 * nodes send their copies under the node's own origin and number, so that {@link Origins} lets one of those through.
 * All other copies are marked.
 *
 * <ol>
 *   <li>While the client is known, its outcomes are, and the second copy gets the first one's. A number that it was
 *       told to forget, or that left the window, is not applied.
 *   <li>A marked copy of an unknown client is never applied: the unmarked one may have been.
 *   <li>A client that becomes known again, with an unmarked command of number N, may have been known before. Of numbers
 *       below N ({@code knownFrom}) only unmarked copies are applied, as in 2. Numbers above N are sent after N was.
 *   <li>So what remains is an unmarked copy that arrives when a marked one has been applied already and its outcome
 *       forgotten, because the client was. That takes {@link Limits#CLIENT_IDLE_MILLIS} of silence, or less only in
 *       that the client's own later numbers push it out of the window, which settles it. An unmarked copy is on its way
 *       no longer than the request timeout of its node, at most half of that ({@code ServerOptions}): then its node
 *       lets go of it, and what is in a log and not committed by then has been overtaken by the term of the marked
 *       copy. What this does not cover is a machine that stands still for longer, with the request unread in its
 *       socket.
 *   <li>A newcomer for which there is no room, or whose node says so ({@code client_unlisted}), is not remembered. Its
 *       unmarked copies are applied, as everybody's first ones are, its marked ones never are.
 * </ol>
 *
 * <p>Confined to the apply thread; a {@link View} may be read by another one.
 */
final class Clients {

    /** Plain clients. */
    private final ClientTable plain = new ClientTable();

    /** Marking clients. */
    private final ClientTable marking = new ClientTable();

    /** Clients of both kinds. */
    private final ClientBlocks all = new ClientBlocks();

    /** What all outcomes take, see {@link Outcomes#bytes}. */
    private long outcomeBytes;

    private long plainDetailBytes;
    private long markingBytes;
    private long used;

    private long views;
    private volatile @Nullable View openView;

    /**
     * The answer if the command must not be applied: its outcome, {@link Outcome#ALREADY_SETTLED} if that was
     * forgotten, {@link Outcome#BUSY} if there is no room for the client; null if the command is to be applied.
     *
     * @param record of a client's command; before format 2, {@code client_done} is 0
     */
    @Nullable
    Outcome recall(CommandRecord record, long clockMillis) {
        long id = record.getClient();
        long done = record.getClientDone();
        Client client = find(id);
        if (client == null) {
            if (done > 0) {
                return record.getClientRetry() ? Outcome.ALREADY_SETTLED : null;
            }
            boolean room = plain.size() < Limits.CLIENTS_MAX || forgetSilent(plain, 1, clockMillis) > 0;
            return room ? null : Outcome.BUSY;
        }
        use(client, clockMillis);
        if (done > 0) {
            mark(client);
            settle(client, done);
        }
        Outcome first = client.outcomes.recall(record.getClientSequence());
        boolean perhapsForgotten = record.getClientRetry() && record.getClientSequence() < client.knownFrom;
        return first == null && perhapsForgotten ? Outcome.ALREADY_SETTLED : first;
    }

    /** Remembers the outcome of a command that {@link #recall} let be applied. */
    void remember(CommandRecord record, Outcome outcome, long clockMillis) {
        long sequence = record.getClientSequence();
        Client known = find(record.getClient());
        boolean marks = record.getClientDone() > 0;
        if (known == null
                && marks
                && (record.getClientUnlisted() || !makeRoom(Client.BYTES + Client.OUTCOME_BYTES, clockMillis))) {
            return;
        }
        Client client = known != null ? known : add(record.getClient(), marks ? sequence : 0);
        use(client, clockMillis);
        settle(client, Math.max(record.getClientDone(), sequence - Limits.CLIENT_OUTCOMES_MAX + 1));
        long bytes = outcome.detailBytes();
        boolean fits = bytes <= Limits.OUTCOME_VALUE_BYTES_MAX
                && (client.knownFrom == 0
                        ? plainDetailBytes + bytes <= Limits.CLIENTS_VALUE_BYTES_MAX
                        : makeRoom(bytes, clockMillis));
        if (client.knownFrom > 0) {
            makeRoomFor(client, sequence, clockMillis);
        }
        count(client, -1);
        client.detailBytes += fits ? bytes : 0;
        client.outcomes.remember(sequence, fits ? outcome : Outcome.ALREADY_SETTLED);
        count(client, 1);
    }

    /** What the table takes, in bytes. */
    long bytes() {
        return outcomeBytes + Client.BYTES * all.size();
    }

    /** How many clients are remembered. */
    int size() {
        return all.size();
    }

    /** Forgets clients that have been silent long enough, at most that many. Called with every log entry. */
    void expire(int max, long clockMillis) {
        forgetSilent(plain, max, clockMillis);
        forgetSilent(marking, max, clockMillis);
    }

    /** Forgets the longest silent clients if they have been silent long enough; returns how many. */
    private int forgetSilent(ClientTable from, int max, long clockMillis) {
        int forgotten = 0;
        for (; forgotten < max; forgotten++) {
            Client client = from.oldest();
            if (client == null || clockMillis - client.usedMillis <= Limits.CLIENT_IDLE_MILLIS) {
                break;
            }
            preserve(client);
            from.remove(client);
            all.remove(client);
            count(client, -1);
        }
        return forgotten;
    }

    /** Whether that many more bytes fit; forgets marking clients that may be forgotten if needed. */
    private boolean makeRoom(long bytes, long clockMillis) {
        while (markingBytes + bytes > Limits.CLIENTS_BYTES_MAX && forgetSilent(marking, 1, clockMillis) > 0) {
            // Each one forgotten makes room.
        }
        return markingBytes + bytes <= Limits.CLIENTS_BYTES_MAX;
    }

    /** If there is no room for more numbers of a client, forgets its oldest, so that it has as many as before. */
    private void makeRoomFor(Client client, long sequence, long clockMillis) {
        int span = Math.max(1, client.outcomes.span());
        long more = client.outcomes.spanWith(sequence) - span;
        if (more > 0 && !makeRoom(Client.OUTCOME_BYTES * more, clockMillis)) {
            settle(client, sequence + 1 - span);
        }
    }

    private @Nullable Client find(long id) {
        Client client = marking.find(id);
        return client != null ? client : plain.find(id);
    }

    private Client add(long id, long knownFrom) {
        Client client = new Client(id, knownFrom);
        client.viewed = views;
        all.add(client);
        tableOf(client).add(client);
        count(client, 1);
        return client;
    }

    private ClientTable tableOf(Client client) {
        return client.knownFrom > 0 ? marking : plain;
    }

    private void use(Client client, long clockMillis) {
        preserve(client);
        tableOf(client).use(client);
        client.usedMillis = clockMillis;
        client.used = ++used;
    }

    /** Makes the client a marking one. What it has sent before stays known. */
    private void mark(Client client) {
        if (client.knownFrom == 0) {
            count(client, -1);
            plain.remove(client);
            client.knownFrom = 1;
            marking.add(client);
            count(client, 1);
        }
    }

    /** Drops the client's outcomes below this sequence. */
    private void settle(Client client, long sequence) {
        count(client, -1);
        client.detailBytes -= client.outcomes.settle(sequence);
        count(client, 1);
    }

    private void count(Client client, int sign) {
        outcomeBytes += sign * client.outcomes.bytes();
        if (client.knownFrom > 0) {
            markingBytes += sign * client.bytes();
        } else {
            plainDetailBytes += sign * client.detailBytes;
        }
    }

    /**
     * All clients as they are now. One may be open at a time.
     *
     * <p>How it works: at once only {@linkplain ClientBlocks#take references to blocks} are copied. What a client was
     * is saved before it changes; of the others it is taken when the reader comes to them.
     */
    View view() {
        View view = new View(all.take(), ++views);
        openView = view;
        return view;
    }

    private void preserve(Client client) {
        View view = openView;
        if (view != null && client.viewed != view.number) {
            view.save(client);
        }
    }

    /** The clients at one moment, read by one thread while the apply thread goes on. */
    final class View implements AutoCloseable {

        private final ClientBlocks.Taken clients;
        private final long number;

        private View(ClientBlocks.Taken clients, long number) {
            this.clients = clients;
            this.number = number;
        }

        private synchronized void save(Client client) {
            if (client.viewed != number) {
                client.frozen = client.freeze();
                client.viewed = number;
            }
        }

        private synchronized @Nullable Frozen takeSaved(Client client) {
            Frozen saved = client.frozen;
            client.frozen = null;
            return saved;
        }

        /** Visits the clients in the order of their last commands, each as one or more messages. To be called once. */
        void forEach(StateSource.Consumer consumer) throws IOException {
            List<Frozen> inOrder = new ArrayList<>(clients.size());
            for (int i = 0; i < clients.size(); i++) {
                Client client = clients.get(i);
                save(client);
                inOrder.add(Objects.requireNonNull(takeSaved(client)));
            }
            inOrder.sort(Comparator.comparingLong(Frozen::used));
            for (Frozen client : inOrder) {
                for (SnapshotClient piece : client.toWire()) {
                    consumer.client(piece);
                }
            }
        }

        /** Lets go of what was saved for a reader that has not come to its end. */
        @Override
        public void close() {
            openView = null;
            for (int i = 0; i < clients.size(); i++) {
                takeSaved(clients.get(i));
            }
        }
    }

    /** Loads a client, or a part of one, from a snapshot. */
    void load(SnapshotClient wire) {
        long id = wire.getOutcomes().getOrigin();
        Client known = find(id);
        Client client = known != null ? known : add(id, wire.getKnownFrom());
        use(client, wire.getUsedMillis());
        count(client, -1);
        client.detailBytes += client.outcomes.load(wire.getOutcomes());
        count(client, 1);
    }
}
