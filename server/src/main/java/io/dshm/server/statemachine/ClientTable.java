package io.dshm.server.statemachine;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Clients by their identity, and in the order of their last commands.
 *
 * <p>The map is in parts, which grow one by one: a map of them all would have to move hundreds of thousands at once.
 */
final class ClientTable {

    private static final int PART_BITS = 8;

    private final List<Map<Long, Client>> parts = Stream.<Map<Long, Client>>generate(HashMap::new)
            .limit(1 << PART_BITS)
            .toList();

    private @Nullable Client oldest;
    private @Nullable Client newest;
    private int size;

    private Map<Long, Client> part(long id) {
        return parts.get((int) ((id * 0x9E3779B97F4A7C15L) >>> (Long.SIZE - PART_BITS)));
    }

    @Nullable
    Client find(long id) {
        return part(id).get(id);
    }

    int size() {
        return size;
    }

    /** The client whose last command is the longest ago. */
    @Nullable
    Client oldest() {
        return oldest;
    }

    /** Adds a client that is not there, as the newest. */
    void add(Client client) {
        part(client.id).put(client.id, client);
        size++;
        link(client);
    }

    void remove(Client client) {
        part(client.id).remove(client.id);
        size--;
        unlink(client);
    }

    /** Makes a client that is there the newest. */
    void use(Client client) {
        if (newest != client) {
            unlink(client);
            link(client);
        }
    }

    private void link(Client client) {
        client.older = newest;
        if (newest == null) {
            oldest = client;
        } else {
            newest.newer = client;
        }
        newest = client;
    }

    private void unlink(Client client) {
        Client before = client.older;
        Client after = client.newer;
        if (before == null) {
            oldest = after;
        } else {
            before.newer = after;
        }
        if (after == null) {
            newest = before;
        } else {
            after.older = before;
        }
        client.older = null;
        client.newer = null;
    }
}
