package io.dshm.server.statemachine;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotOrigin;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Exactly once, for clients that bring an identity of their own and may send a command again through another node: the
 * outcomes that may still be asked for again. Unlike a node, a client does not say what it needs no more, so the log's count and
 * clock decide.
 *
 * <p>A client is never forgotten before its time: a late copy would take effect a second time. Where there is no room for
 * another one, the newcomer is refused.
 *
 * <p>Confined to the thread that applies.
 */
final class Clients {

    private static final class Client {
        final Outcomes outcomes = new Outcomes();
        long usedMillis;
    }

    /** In the order of their last commands. */
    private final Map<Long, Client> clients = new LinkedHashMap<>(16, 0.75f, true);

    /** What a client takes in memory beside its outcomes. */
    private static final long CLIENT_BYTES = 512;

    /** What all outcomes take, see {@link Outcomes#bytes}. */
    private long outcomeBytes;

    /** The details of all outcomes. */
    private long detailBytes;

    /**
     * What is to be answered instead of applying that command: its outcome, {@link Outcome#ALREADY_SETTLED} if that was
     * forgotten, {@link Outcome#BUSY} if there is no room for the client; null if the command is to be applied.
     */
    @Nullable
    Outcome recall(long id, long sequence, long clockMillis) {
        Client client = clients.get(id);
        if (client == null) {
            return clients.size() < Limits.CLIENTS_MAX ? null : Outcome.BUSY;
        }
        client.usedMillis = clockMillis;
        return client.outcomes.recall(sequence);
    }

    /** Remembers the outcome of a command that {@link #recall} let be applied. */
    void remember(long id, long sequence, Outcome outcome, long clockMillis) {
        Client client = clients.computeIfAbsent(id, any -> new Client());
        client.usedMillis = clockMillis;
        outcomeBytes -= client.outcomes.bytes();
        detailBytes -= client.outcomes.settle(sequence - Limits.CLIENT_OUTCOMES_MAX + 1);
        long bytes = outcome.detailBytes();
        boolean fits = bytes <= Limits.OUTCOME_VALUE_BYTES_MAX && detailBytes + bytes <= Limits.CLIENTS_VALUE_BYTES_MAX;
        detailBytes += fits ? bytes : 0;
        client.outcomes.remember(sequence, fits ? outcome : Outcome.ALREADY_SETTLED);
        outcomeBytes += client.outcomes.bytes();
    }

    /** What the table takes, in bytes. */
    long bytes() {
        return outcomeBytes + CLIENT_BYTES * clients.size();
    }

    /** Forgets the clients that have been silent for long enough. Called for every log entry. */
    void expire(long clockMillis) {
        if (clients.isEmpty()) {
            return;
        }
        Iterator<Client> oldestFirst = clients.values().iterator();
        while (oldestFirst.hasNext()) {
            Client client = oldestFirst.next();
            if (clockMillis - client.usedMillis <= Limits.CLIENT_IDLE_MILLIS) {
                return;
            }
            outcomeBytes -= client.outcomes.bytes();
            detailBytes -= client.outcomes.settle(Long.MAX_VALUE);
            oldestFirst.remove();
        }
    }

    /** All of it, for a snapshot. */
    List<SnapshotClient> toWire() {
        List<SnapshotClient> result = new ArrayList<>();
        clients.forEach((id, client) -> {
            for (SnapshotOrigin piece : client.outcomes.toWire(id)) {
                result.add(SnapshotClient.newBuilder()
                        .setOutcomes(piece)
                        .setUsedMillis(client.usedMillis)
                        .build());
            }
        });
        return result;
    }

    /** Takes one out of a snapshot, or a part of one. */
    void load(SnapshotClient wire) {
        Client client = clients.computeIfAbsent(wire.getOutcomes().getOrigin(), any -> new Client());
        client.usedMillis = wire.getUsedMillis();
        outcomeBytes -= client.outcomes.bytes();
        detailBytes += client.outcomes.load(wire.getOutcomes());
        outcomeBytes += client.outcomes.bytes();
    }
}
