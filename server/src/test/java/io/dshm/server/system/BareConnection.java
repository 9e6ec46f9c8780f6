package io.dshm.server.system;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A connection on which a test speaks for itself, plain or with TLS. */
record BareConnection(Socket socket, Socket tcp) implements Closeable {

    private static final int MILLIS = 40_000;

    /** Connects; a read fails after 40 seconds. */
    static BareConnection open(InetSocketAddress address, @Nullable SSLContext context) throws IOException {
        return open(new Socket(), address, context, 0);
    }

    /** The same with a socket of the caller's, and with buffers of that size in the system; 0: as it likes. */
    static BareConnection open(Socket tcp, InetSocketAddress address, @Nullable SSLContext context, int bufferBytes)
            throws IOException {
        boolean done = false;
        try {
            tcp.setTcpNoDelay(true);
            if (bufferBytes > 0) {
                tcp.setReceiveBufferSize(bufferBytes);
                tcp.setSendBufferSize(bufferBytes);
            }
            tcp.setSoTimeout(MILLIS);
            tcp.connect(address, MILLIS);
            Socket socket = context == null ? tcp : Secured.shakeHands(tcp, context, address.getHostString());
            done = true;
            return new BareConnection(socket, tcp);
        } finally {
            if (!done) {
                tcp.close();
            }
        }
    }

    /** Ends it without a word, also while another thread waits in it, as a close of TLS would not. */
    @Override
    public void close() throws IOException {
        tcp.close();
    }
}
