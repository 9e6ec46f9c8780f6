package io.dshm.client;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Looks up the name of a node. It is asked before each new connection, on a thread where it may block, and nothing it
 * says is kept.
 */
@FunctionalInterface
public interface AddressResolver {

    /**
     * The addresses of a host. They are tried one after the other, one a connection.
     *
     * @throws UnknownHostException if there are none
     */
    List<InetAddress> resolve(String host) throws UnknownHostException;
}
