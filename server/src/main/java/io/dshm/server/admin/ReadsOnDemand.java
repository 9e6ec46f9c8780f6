package io.dshm.server.admin;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;

/**
 * Passes on the reads of a connection while its {@link AdminHandler} waits for a request, and no others: Netty's
 * aggregator reads on by itself whenever a request is incomplete, and all requests that came in that way would wait in
 * memory. Comes before the codec. Confined to the connection's thread.
 */
final class ReadsOnDemand extends ChannelOutboundHandlerAdapter {

    private final AdminHandler handler;

    ReadsOnDemand(AdminHandler handler) {
        this.handler = handler;
    }

    @Override
    public void read(ChannelHandlerContext context) {
        if (handler.awaitsRequest()) {
            context.read();
        }
    }
}
