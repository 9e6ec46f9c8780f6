package io.dshm.server.frontend;

import io.dshm.proto.ReadMode;
import io.dshm.server.replication.Lane;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;

/**
 * The DSHM text protocol, as it is spoken on port 4321.
 *
 * @param valueBytesMax the longest value
 * @param requests what the large requests of all connections may hold together
 * @param readMode of reads, as long as neither they nor their connection say otherwise
 * @param identities that clients have brought
 * @param accessLog where it says what is denied
 * @param shares of limits, from which clients may have their requests decided
 */
public record TextProtocol(
        int valueBytesMax,
        MemoryBudget requests,
        ReadMode readMode,
        ClientIdentities identities,
        AccessLog accessLog,
        LaneShares shares)
        implements ClientListener.Protocol {

    /** Of a node that has seen no client yet. */
    public TextProtocol(int valueBytesMax, MemoryBudget requests, ReadMode readMode, LaneShares shares) {
        this(
                valueBytesMax,
                requests,
                readMode,
                new ClientIdentities(System::nanoTime),
                new AccessLog(System::nanoTime),
                shares);
    }

    @Override
    public void open(Channel accepted, Lane lane, ConnectionSet connections) {
        // A client that has sent all it wants may close its sending side, and still gets its replies.
        accepted.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        accepted.pipeline()
                .addLast(new TextConnection(
                        accepted,
                        lane,
                        shares.of(lane),
                        valueBytesMax,
                        requests,
                        readMode,
                        identities,
                        accessLog,
                        connections));
    }

    @Override
    public void refuse(Channel accepted) {
        accepted.pipeline().addLast(new RefusingHandler());
    }
}
