package io.dshm.client.cli;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a node listens.
 *
 * @param host a name or an address, an IPv6 address without brackets
 * @param port 1 to 65535
 */
record Endpoint(String host, int port) {

    private static final int PORT_MAX = 65_535;

    /** The addresses of a list with commas between them; one without a port has this one. */
    static List<Endpoint> parseAll(String list, int defaultPort) throws CliException {
        List<Endpoint> endpoints = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            endpoints.add(parse(part.strip(), defaultPort));
        }
        return List.copyOf(endpoints);
    }

    private static Endpoint parse(String text, int defaultPort) throws CliException {
        int colon = text.lastIndexOf(':');
        boolean bracketed = text.startsWith("[");
        // More than one colon without brackets: an IPv6 address without a port.
        boolean hasPort = bracketed ? text.indexOf("]:") > 0 : colon >= 0 && text.indexOf(':') == colon;
        String host = hasPort ? text.substring(0, colon) : text;
        if (bracketed && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = hasPort ? port(text.substring(colon + 1)) : defaultPort;
        if (host.isEmpty() || host.indexOf(' ') >= 0 || port < 0) {
            throw CliException.usage("'" + text + "' is not an address: write HOST:PORT, for example 127.0.0.1:"
                    + defaultPort + ", with commas between several");
        }
        return new Endpoint(host, port);
    }

    private static int port(String digits) {
        if (!digits.matches("[0-9]{1,5}")) {
            return -1;
        }
        int port = Integer.parseInt(digits);
        return port >= 1 && port <= PORT_MAX ? port : -1;
    }

    /** A port so much further on the same host, or the last one there is. */
    Endpoint plus(int ports) {
        return new Endpoint(host, Math.min(PORT_MAX, port + ports));
    }

    /** Looks a name up. */
    InetSocketAddress resolve() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
