package io.dshm.client.cli.bench;

import java.io.IOException;
import java.net.Socket;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * What servers want of those that connect.
 *
 * @param tls null for plain connections
 * @param login null: nobody says who it is
 */
public record Security(@Nullable Tls tls, @Nullable Login login) {

    /** None of both. */
    public static final Security NONE = new Security(null, null);

    /** TLS, over both kinds of sockets. */
    public interface Tls {
        SSLEngine engine(String host, int port);

        Socket over(Socket connected, String host) throws IOException;
    }

    /** Who says AUTH. */
    @SuppressWarnings("ArrayRecordComponent") // handed over
    public record Login(byte[] user, byte[] secret) {}
}
