package io.dshm.client;

/**
 * Where a node listens.
 *
 * @param host a name or an address, an IPv6 address without brackets
 * @param port 1 to 65535
 */
record Endpoint(String host, int port) {

    private static final int PORT_DEFAULT = 4321;
    private static final int PORT_MAX = 65_535;

    /**
     * An endpoint of {@code HOST}, {@code HOST:PORT}, {@code [IPV6]} or {@code [IPV6]:PORT}.
     *
     * @throws IllegalArgumentException if it is none
     */
    static Endpoint parse(String text) {
        boolean bracketed = text.startsWith("[");
        int colon = bracketed ? text.indexOf("]:") + 1 : text.lastIndexOf(':');
        // More than one colon without brackets: an IPv6 address without a port.
        boolean hasPort = bracketed ? colon > 0 : colon >= 0 && text.indexOf(':') == colon;
        String host = hasPort ? text.substring(0, colon) : text;
        if (bracketed && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = hasPort ? port(text.substring(colon + 1)) : PORT_DEFAULT;
        if (host.isBlank() || host.indexOf(' ') >= 0 || port < 1) {
            throw new IllegalArgumentException("'" + text + "' is not HOST:PORT, such as 127.0.0.1:" + PORT_DEFAULT);
        }
        return new Endpoint(host, port);
    }

    private static int port(String digits) {
        int port = digits.matches("[0-9]{1,5}") ? Integer.parseInt(digits) : 0;
        return port <= PORT_MAX ? port : 0;
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
