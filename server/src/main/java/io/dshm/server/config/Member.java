package io.dshm.server.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A node of the cluster, as the others reach it.
 *
 * @param name letters, digits, {@code _}, {@code -} and {@code .}
 * @param host a name or an address, an IPv6 address in brackets; a name is looked up now and then
 * @param raftPort for Raft
 * @param forwardingPort for commands on their way to the leader
 */
public record Member(String name, String host, int raftPort, int forwardingPort) {

    /** What is added to a member's Raft port, if it names no forwarding port. */
    static final int FORWARDING_PORT_OFFSET = 10;

    private static final Pattern FORM =
            Pattern.compile("([\\w.-]{1,255})=([\\w.-]+|\\[[0-9A-Fa-f:.]+\\]):(\\d{1,5})(?::(\\d{1,5}))?");

    /**
     * Reads {@code name=host:raft-port[:forwarding-port]}; an IPv6 address stands in brackets, {@code [::1]}.
     *
     * @throws ConfigException if it is not of that form
     */
    public static Member parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new ConfigException("members: \"" + text + "\" is not of the form name=host:raft-port");
        }
        int raftPort = port(text, matcher.group(3));
        @Nullable String forwarding = matcher.group(4);
        int forwardingPort = forwarding == null
                ? port(text, String.valueOf(raftPort + FORWARDING_PORT_OFFSET))
                : port(text, forwarding);
        return new Member(matcher.group(1), matcher.group(2).toLowerCase(Locale.ROOT), raftPort, forwardingPort);
    }

    private static int port(String member, String digits) {
        int port = Integer.parseInt(digits);
        if (port < 1 || port > 65_534) {
            throw new ConfigException("members: \"" + member + "\" has no usable port: " + port);
        }
        return port;
    }

    /** This member as {@link #parse} reads it, with both ports. */
    public String text() {
        return name + "=" + address();
    }

    /** Its address, {@code host:raft-port:forwarding-port}. */
    public String address() {
        return raftAddress() + ":" + forwardingPort;
    }

    /** The Raft address, {@code host:port}, which is this member's identity in the log. */
    public String raftAddress() {
        return host + ":" + raftPort;
    }
}
