package io.dshm.server.frontend.sharedance;

import io.dshm.proto.ReadMode;
import io.dshm.server.frontend.ClientListener;
import io.dshm.server.frontend.ConfiguredUser;
import io.dshm.server.frontend.ConnectionSet;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.network.SocketEnds;
import io.dshm.server.replication.Lane;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;

/**
 * The Sharedance protocol, as it is spoken on port 1042.
 *
 * @param valueBytesMax bytes of data; more are refused
 * @param ttlMillis how long an entry lives after its last store
 * @param budget what the data of all connections may hold together
 * @param readMode of fetches
 * @param user as whom all clients act
 * @param addresses from which clients may come
 */
public record SharedanceProtocol(
        int valueBytesMax,
        long ttlMillis,
        MemoryBudget budget,
        ReadMode readMode,
        ConfiguredUser user,
        ClientAddresses addresses)
        implements ClientListener.Protocol {

    @Override
    public void open(Channel accepted, Lane lane, ConnectionSet connections) {
        if (!addresses.include(accepted.remoteAddress())) {
            refuse(accepted);
            return;
        }
        SocketEnds.resetUnlessClosedAfterAll((SocketChannel) accepted);
        // A client that has sent its command may close its sending side, and still gets the reply.
        accepted.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        accepted.pipeline()
                .addLast(new SharedanceConnection(
                        lane,
                        new SharedanceDecoder(valueBytesMax, ttlMillis, budget),
                        budget,
                        readMode,
                        user,
                        connections));
    }

    /** A client that is not served must not believe that nothing is stored. */
    @Override
    public void refuse(Channel accepted) {
        SocketEnds.reset((SocketChannel) accepted);
    }
}
