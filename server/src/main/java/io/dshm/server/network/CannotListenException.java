package io.dshm.server.network;

import java.io.IOException;
import java.io.Serial;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A port cannot be opened. The message says why, for operators. */
public final class CannotListenException extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final String settings;

    /**
     * With what an operator can do about it.
     *
     * @param settings the settings that have the address and the port
     * @param address where to listen; its host as it was written
     */
    public CannotListenException(String settings, InetSocketAddress address, @Nullable Throwable cause) {
        super(reason(address, cause), cause);
        this.settings = settings;
    }

    /** Which settings to change. */
    public String settings() {
        return settings;
    }

    private static String reason(InetSocketAddress address, @Nullable Throwable cause) {
        String host = address.getHostString();
        if (address.isUnresolved() || cause instanceof UnresolvedAddressException) {
            return host + " is a name that cannot be looked up";
        }
        String text = cause == null ? "" : String.valueOf(cause.getMessage());
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.contains("cannot assign")) {
            return host + " is not an address of this machine";
        }
        if (lower.contains("in use")) {
            return "another program uses port " + address.getPort() + " of " + host + " (ss -ltnp shows which one)";
        }
        String what = "cannot listen on " + host + ":" + address.getPort();
        return lower.contains("permission denied")
                ? what + ": user " + System.getProperty("user.name") + " may not use ports below 1024"
                : what + ": " + (cause instanceof BindException ? text : String.valueOf(cause));
    }
}
