package io.dshm.server.statemachine;

import java.util.ArrayList;
import java.util.List;

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
    private record Block(Client[] clients, long taken) {}

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
        Client last = blocks.get(size / BLOCK).clients[size % BLOCK];
        put(client.place, last);
        if (size % BLOCK == 0) {
            blocks.remove(blocks.size() - 1);
        }
    }

    private void put(int place, Client client) {
        Block block = blocks.get(place / BLOCK);
        if (block.taken != taken) {
            block = new Block(block.clients.clone(), taken);
            blocks.set(place / BLOCK, block);
        }
        block.clients[place % BLOCK] = client;
        client.place = place;
    }

    /** The clients as they are now, for another thread. Copies one reference for each block. */
    Taken take() {
        taken++;
        return new Taken(blocks.stream().map(Block::clients).toArray(Client[][]::new), size);
    }

    /** The clients of one moment. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Taken(Client[][] blocks, int size) {

        Client get(int number) {
            return blocks[number / BLOCK][number % BLOCK];
        }
    }
}
