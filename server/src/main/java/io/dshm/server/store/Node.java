package io.dshm.server.store;

import org.jspecify.annotations.Nullable;

/**
 * A link in the chain of a bucket: a key and its current entry. Only the writer changes it.
 *
 * <p>Once it is unlinked, or its chain was copied to another array, a node stays as it is for ever: a reader that
 * stands on it goes on to where it would have gone.
 */
final class Node {

    final byte[] key;
    final int hash;
    volatile Entry entry;
    volatile @Nullable Node next;

    Node(byte[] key, int hash, Entry entry, @Nullable Node next) {
        this.key = key;
        this.hash = hash;
        this.entry = entry;
        this.next = next;
    }
}
