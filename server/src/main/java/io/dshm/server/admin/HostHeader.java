package io.dshm.server.admin;

import io.netty.util.NetUtil;
import org.jspecify.annotations.Nullable;

/**
 * Which {@code Host} headers a port takes that asks for no secret. It is on a loopback address then, and so open to
 * what runs on its machine, but also to any web page in a browser there: a page's site can give its own name that
 * address (DNS rebinding), and the browser lets the page read the answers. It names the site in the header, though.
 * Nobody can give another address to an address, or to {@code localhost}.
 */
final class HostHeader {

    private HostHeader() {}

    /**
     * Whether no page of another site can have caused this.
     *
     * @param host with or without a port; null if there is none, which no browser sends
     */
    static boolean isSafe(@Nullable String host) {
        String name = host == null ? "" : withoutPort(host);
        return name.isEmpty()
                || name.equalsIgnoreCase("localhost")
                || NetUtil.isValidIpV4Address(name)
                || NetUtil.isValidIpV6Address(name);
    }

    /** An address of IPv6 is in brackets, because of its colons. */
    private static String withoutPort(String host) {
        int colon = host.indexOf(':', host.startsWith("[") ? Math.max(0, host.indexOf(']')) : 0);
        return colon < 0 ? host : host.substring(0, colon);
    }
}
