package io.dshm.server.network;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/**
 * Opens this node's ports. Every connection lives on one of the lanes' event loops.
 *
 * @param loops the lanes' event loops
 * @param channelType the kind of channel that belongs to them
 * @param encryption of what they accept
 */
public record Ports(EventLoopGroup loops, Class<? extends ServerChannel> channelType, Encryption encryption) {

    /** Connections that wait to be accepted. The system's own limit (net.core.somaxconn) may be lower. */
    public static final int BACKLOG = 4096;

    /** Ports of plain connections. */
    public Ports(EventLoopGroup loops, Class<? extends ServerChannel> channelType) {
        this(loops, channelType, Encryption.NONE);
    }

    /** The same with that encryption. */
    public Ports with(Encryption other) {
        return new Ports(loops, channelType, other);
    }

    /**
     * Listens until the channel that this returns is closed.
     *
     * @param settings which settings have the address, for the message
     * @param backlog how many connections may wait to be accepted
     * @param accept is handed each new connection, on its event loop
     * @throws IOException if the address cannot be bound
     */
    public Channel listen(InetSocketAddress address, String settings, int backlog, Consumer<Channel> accept)
            throws IOException, InterruptedException {
        var bound = new ServerBootstrap()
                .group(loops)
                .channel(channelType)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, backlog)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel accepted) {
                        encryption.begin(accepted);
                        accept.accept(accepted);
                    }
                })
                .bind(address)
                .await();
        if (!bound.isSuccess()) {
            throw new CannotListenException(settings, address, bound.cause());
        }
        return bound.channel();
    }
}
