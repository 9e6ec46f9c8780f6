package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.NetworkInterface;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whatever names a node's addresses, it is found by it. */
class AddressesIT {

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void ipv6_addresses_do_for_members_and_for_every_listener() throws IOException, InterruptedException {
        assumeTrue(
                NetworkInterface.networkInterfaces()
                        .flatMap(NetworkInterface::inetAddresses)
                        .anyMatch(address -> address instanceof Inet6Address && address.isLoopbackAddress()),
                "no IPv6 here");
        ClusterProcess cluster = processes.newCluster("[::1]").start();
        for (NodeProcess node : cluster.nodes()) {
            try (DshmConnection connection = node.connect()) {
                connection.incr("addresses::n", 1);
            }
        }
        cluster.awaitLeader().kill();
        NodeProcess next = cluster.awaitLeader();
        try (DshmConnection connection = next.connect()) {
            assertEquals(3, connection.incr("addresses::n", 0));
        }
    }
}
