package io.dshm.server;

import com.sun.management.UnixOperatingSystemMXBean;
import io.dshm.proto.Limits;
import java.lang.management.ManagementFactory;

/**
 * The files and sockets that this process may have open: Linux calls each a file descriptor, and bounds their number
 * (ulimit -n, LimitNOFILE). Clients get what the node itself does not need, so that they can never keep it from opening
 * a file of its log or a snapshot.
 */
final class Descriptors {

    private Descriptors() {}

    /**
     * How many clients may be connected, given what is open now.
     *
     * @param wanted as the configuration says
     * @param open how many descriptors are open, all of the node's own files among them
     * @param max how many there may be
     * @throws IllegalStateException if hardly any client could connect
     */
    static int connectionsMax(int wanted, long open, long max) {
        long available = max - open - Limits.DESCRIPTORS_RESERVED;
        if (available < Limits.CONNECTIONS_MIN) {
            throw new IllegalStateException(
                    "this process may open only " + max + " files and connections, and needs "
                            + (open + Limits.DESCRIPTORS_RESERVED)
                            + " for itself; raise the limit (LimitNOFILE in the systemd unit, or ulimit -n) by the number of clients");
        }
        return (int) Math.min(wanted, available);
    }

    /** The same by this process's present figures; as wanted, where the system has none. */
    static int connectionsMax(int wanted) {
        return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                ? connectionsMax(wanted, system.getOpenFileDescriptorCount(), system.getMaxFileDescriptorCount())
                : wanted;
    }

    /** Whether hardly any descriptor is left: what fails now may fail because of that, and not because of a disk. */
    static boolean areShort() {
        if (!(ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system)) {
            return false;
        }
        try {
            return system.getMaxFileDescriptorCount() - system.getOpenFileDescriptorCount() < Limits.CONNECTIONS_MIN;
        } catch (InternalError e) {
            // It counts the files of a folder, and for that it has to open one.
            return true;
        }
    }
}
