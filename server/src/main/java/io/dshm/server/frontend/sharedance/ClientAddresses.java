package io.dshm.server.frontend.sharedance;

import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;

/** From which addresses clients may come. Immutable. */
public final class ClientAddresses {

    private static final int BITS_A_BYTE = 8;

    private final List<IpSubnetFilterRule> networks;

    /**
     * Those in that list; every address if it is empty.
     *
     * @param networks addresses, or networks such as {@code 10.0.0.0/8}
     * @throws IllegalArgumentException if one of them is neither; the message says which
     */
    public ClientAddresses(List<String> networks) {
        this.networks = networks.stream().map(ClientAddresses::parse).toList();
    }

    private static IpSubnetFilterRule parse(String text) {
        String[] parts = text.split("/", 2);
        byte[] address = NetUtil.createByteArrayFromIpAddressString(parts[0]);
        String prefix = parts.length > 1 ? parts[1] : "";
        boolean isPrefix = parts.length == 1 || prefix.matches("[0-9]{1,3}");
        if (address == null
                || !isPrefix
                || (!prefix.isEmpty() && Integer.parseInt(prefix) > address.length * BITS_A_BYTE)) {
            throw new IllegalArgumentException("'" + text + "' is neither an address nor a network such as 10.0.0.0/8");
        }
        return new IpSubnetFilterRule(
                parts[0],
                prefix.isEmpty() ? address.length * BITS_A_BYTE : Integer.parseInt(prefix),
                IpFilterRuleType.ACCEPT);
    }

    /** Whether a client of that address may come. */
    boolean include(SocketAddress client) {
        return networks.isEmpty()
                || (client instanceof InetSocketAddress address
                        && networks.stream().anyMatch(network -> network.matches(address)));
    }
}
