package io.dshm.client.internal;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where a node listens.
 *
 * @param host a name or an address, an IPv6 address without brackets
 * @param port 1 to 65535
 */
public record Endpoint(String host, int port) {

    private static final int PORT_MAX = 65_535;

    /**
     * The addresses of a list with commas between them; one without a port has this one.
     *
     * @throws IllegalArgumentException if one of them is none
     */
    public static List<Endpoint> parseAll(String list, int defaultPort) {
        return Stream.of(list.split(",", -1))
                .map(text -> parse(text.strip(), defaultPort))
                .toList();
    }

    /**
     * An endpoint of {@code HOST}, {@code HOST:PORT}, {@code [IPV6]} or {@code [IPV6]:PORT}.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static Endpoint parse(String text, int defaultPort) {
        boolean bracketed = text.startsWith("[");
        int colon = bracketed ? text.indexOf("]:") + 1 : text.lastIndexOf(':');
        // More than one colon without brackets: an IPv6 address without a port.
        boolean hasPort = bracketed ? colon > 0 : colon >= 0 && text.indexOf(':') == colon;
        String host = hasPort ? text.substring(0, colon) : text;
        if (bracketed && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = hasPort ? port(text.substring(colon + 1)) : defaultPort;
        if (host.isBlank() || host.indexOf(' ') >= 0 || port < 1) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not an address: write HOST:PORT, for example 127.0.0.1:" + defaultPort
                            + ", with commas between several");
        }
        return new Endpoint(host, port);
    }

    private static int port(String digits) {
        int port = digits.matches("[0-9]{1,5}") ? Integer.parseInt(digits) : 0;
        return port <= PORT_MAX ? port : 0;
    }

    /** A port so much further on the same host, or the last one there is. */
    public Endpoint plus(int ports) {
        return new Endpoint(host, Math.min(PORT_MAX, port + ports));
    }

    /** Looks a name up. */
    public InetSocketAddress resolve() {
        return new InetSocketAddress(host, port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
