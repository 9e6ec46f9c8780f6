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
 * @param identities that clients have brought
 */
public record TextProtocol(int valueBytesMax, MemoryBudget budget, ReadMode readMode, ClientIdentities identities)
        implements ClientListener.Protocol {

    /** Of a node that has seen no client yet. */
    public TextProtocol(int valueBytesMax, MemoryBudget budget, ReadMode readMode) {
        this(valueBytesMax, budget, readMode, new ClientIdentities(System::nanoTime));
    }

    @Override
    public void open(Channel accepted, Lane lane, ConnectionSet connections) {
        accepted.pipeline()
                .addLast(new TextConnection(
                        lane, new RequestDecoder(valueBytesMax, budget), budget, readMode, identities, connections));
    }

    @Override
    public void refuse(Channel accepted) {
        accepted.pipeline().addLast(new RefusingHandler());
    }
}
