package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.PeerId;
import org.jspecify.annotations.Nullable;

/** Addresses of members as the library has them. */
final class Peers {

    private Peers() {}

    /**
     * The peer at a Raft address.
     *
     * @param address {@code host:port}
     * @throws IllegalArgumentException if it is not of that form
     */
    static PeerId of(@Nullable String address) {
        PeerId peer = new PeerId();
        if (!peer.parse(address)) {
            throw new IllegalArgumentException("no member can have the address " + address);
        }
        return peer;
    }
}
