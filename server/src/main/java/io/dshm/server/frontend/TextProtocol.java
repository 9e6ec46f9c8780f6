package io.dshm.server.frontend;

import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.replication.Lane;
import io.netty.channel.Channel;

/**
 * The DSHM text protocol, as it is spoken on port 4321.
 *
 * @param valueBytesMax the longest value
 * @param budget what the values of all connections may hold together
 */
public record TextProtocol(int valueBytesMax, MemoryBudget budget) implements ClientListener.Protocol {

    @Override
    public void open(Channel accepted, Lane lane, ConnectionSet connections) {
        accepted.pipeline()
                .addLast(new TextConnection(lane, new RequestDecoder(valueBytesMax, budget), budget, connections));
    }

    @Override
    public void refuse(Channel accepted) {
        accepted.pipeline().addLast(new RefusingHandler());
    }
}
