package io.dshm.server;

import io.dshm.server.config.ConfigException;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.frontend.ClientListener;
import io.dshm.server.frontend.ConfiguredUser;
import io.dshm.server.frontend.LaneShares;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.frontend.TextProtocol;
import io.dshm.server.frontend.sharedance.ClientAddresses;
import io.dshm.server.frontend.sharedance.SharedanceProtocol;
import io.dshm.server.network.Ports;
import io.dshm.server.replication.Lane;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The ports of a node's clients: the text protocol's, and Sharedance's if it is wanted. */
final class ClientPorts {

    private static final Logger LOG = LoggerFactory.getLogger(ClientPorts.class);

    private final ClientListener text;
    private final @Nullable ClientListener sharedance;

    /**
     * Opens them. Clients may connect at once.
     *
     * @param values budget for values that clients are sending
     * @param replies budget for replies that clients have not read
     * @param shares of limits, from which clients may have their requests decided
     * @throws IOException if an address cannot be used
     */
    ClientPorts(
            ServerConfig config,
            Ports ports,
            NodeTls tls,
            MemoryBudget values,
            MemoryBudget replies,
            LaneShares shares,
            Function<EventLoop, Lane> lanes)
            throws IOException, InterruptedException {
        int connectionsMax = connectionsMax(config);
        text = new ClientListener(
                ports.with(tls.clients()),
                new InetSocketAddress(config.bindAddress(), config.port()),
                "bind-address, port",
                Ports.BACKLOG,
                new ClientListener.ClientLimits(connectionsMax, config.stallSeconds(), replies),
                new TextProtocol(config.valueBytesMax(), values, config.readMode(), shares),
                lanes);
        ServerConfig.Sharedance settings = config.sharedance();
        if (settings.port() == 0) {
            sharedance = null;
            return;
        }
        sharedance = new ClientListener(
                ports.with(tls.sharedance()),
                new InetSocketAddress(settings.address(), settings.port()),
                "sharedance-address, sharedance-port",
                settings.backlog(),
                new ClientListener.ClientLimits(connectionsMax, settings.timeoutSeconds(), replies),
                new SharedanceProtocol(
                        settings.valueBytesMax(),
                        TimeUnit.SECONDS.toMillis(settings.expirationSeconds()),
                        values,
                        settings.readMode(),
                        new ConfiguredUser(settings.user()),
                        clientAddresses(settings)),
                lanes);
        LOG.info("{} accepts Sharedance clients on {}:{}", config.node(), settings.address(), settings.port());
    }

    private static ClientAddresses clientAddresses(ServerConfig.Sharedance settings) {
        try {
            return new ClientAddresses(settings.clients());
        } catch (IllegalArgumentException e) {
            throw new ConfigException("sharedance-clients: " + e.getMessage());
        }
    }

    /** How many clients each of the clients' ports may have. Called when all of the node's own files are open. */
    private static int connectionsMax(ServerConfig config) {
        int ports = config.sharedance().port() == 0 ? 1 : 2;
        int each = Descriptors.connectionsMax(ports * config.connectionsMax()) / ports;
        if (each < config.connectionsMax()) {
            LOG.warn(
                    "{} accepts at most {} clients on each port instead of connections-max ({}): this process may open no"
                            + " more files and connections; raise LimitNOFILE in the systemd unit, or ulimit -n",
                    config.node(),
                    each,
                    config.connectionsMax());
        }
        return each;
    }

    ClientListener text() {
        return text;
    }

    /** Null if there is none. */
    @Nullable
    ClientListener sharedance() {
        return sharedance;
    }

    /** Accepts no more clients. Those that are connected stay. */
    void stopAccepting() throws InterruptedException {
        text.stopAccepting();
        if (sharedance != null) {
            sharedance.stopAccepting();
        }
    }

    /** Ends each connection as soon as all its requests are answered; done when none is left. */
    CompletableFuture<Void> finishConnections() {
        CompletableFuture<Void> done = text.finishConnections();
        return sharedance == null ? done : CompletableFuture.allOf(done, sharedance.finishConnections());
    }
}
