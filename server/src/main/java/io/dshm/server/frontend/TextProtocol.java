package io.dshm.server.frontend;

import io.dshm.proto.ReadMode;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.replication.Lane;
import io.netty.channel.Channel;

/**
 * The DSHM text protocol, as it is spoken on port 4321.
 *
 * @param valueBytesMax the longest value
 * @param budget what the values of all connections may hold together
 * @param readMode of reads, as long as neither they nor their connection say otherwise
 */
public record TextProtocol(int valueBytesMax, MemoryBudget budget, ReadMode readMode)
        implements ClientListener.Protocol {

    @Override
    public void open(Channel accepted, Lane lane, ConnectionSet connections) {
        accepted.pipeline()
                .addLast(new TextConnection(
                        lane, new RequestDecoder(valueBytesMax, budget), budget, readMode, connections));
    }

    @Override
    public void refuse(Channel accepted) {
        accepted.pipeline().addLast(new RefusingHandler());
    }
}
