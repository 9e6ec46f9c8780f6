package io.dshm.server.statemachine;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Clients without an order, so that they can be read at one moment on another thread: in blocks of {@value #BLOCK}
 * references. Who reads them takes the blocks as they are; a block that has been taken is copied before it is changed.
 */
final class ClientBlocks {

    private static final int BLOCK = 1024;

    /**
     * A block.
     *
     * @param taken how often the blocks had been taken when this one was made
     */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    private record Block(@Nullable Client[] clients, long taken) {}

    private final List<Block> blocks = new ArrayList<>();
    private int size;
    private long taken;

    int size() {
        return size;
    }

    void add(Client client) {
        if (size == blocks.size() * BLOCK) {
            blocks.add(new Block(new Client[BLOCK], taken));
        }
        put(size++, client);
    }

    /** Removes a client; the last one gets its place. */
    void remove(Client client) {
        size--;
        put(client.place, requireNonNull(blocks.get(size / BLOCK).clients[size % BLOCK]));
        changeable(size).clients[size % BLOCK] = null;
        if (size % BLOCK == 0) {
            blocks.remove(blocks.size() - 1);
        }
    }

    private void put(int place, Client client) {
        changeable(place).clients[place % BLOCK] = client;
        client.place = place;
    }

    /** The block of that place, which nobody has taken. */
    private Block changeable(int place) {
        Block block = blocks.get(place / BLOCK);
        if (block.taken != taken) {
            block = new Block(block.clients.clone(), taken);
            blocks.set(place / BLOCK, block);
        }
        return block;
    }

    /** The clients as they are now, for another thread. Copies one reference for each block. */
    Taken take() {
        taken++;
        return new Taken(blocks.stream().map(Block::clients).toArray(Client[][]::new), size);
    }

    /** The clients of one moment. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Taken(@Nullable Client[][] blocks, int size) {

        Client get(int number) {
            return requireNonNull(blocks[number / BLOCK][number % BLOCK]);
        }
    }
}
