package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which identities clients have brought to this node lately, so that those of one address cannot fill the table that
 * all clients of the cluster share. Thread-safe; a connection asks once a minute.
 */
final class ClientIdentities {

    /** Of all addresses together: what this node itself keeps of them is bounded, too. */
    private static final int IDENTITIES_MAX = 64 * Limits.ADDRESS_CLIENTS_MAX;

    /** As long as the cluster may know them. */
    private static final long KEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(Limits.CLIENT_IDLE_MILLIS);

    private static final long ASKED_AGAIN_NANOS = TimeUnit.MINUTES.toNanos(1);

    private record Identity(@Nullable InetAddress address, long client) {}

    private final LongSupplier nanoTime;

    /** When each was seen last, the oldest first. Guarded by this. */
    private final Map<Identity, Long> seen = new LinkedHashMap<>();

    /** Guarded by this. */
    private final Map<@Nullable InetAddress, Integer> countByAddress = new HashMap<>();

    /** @param nanoTime as {@link System#nanoTime()} */
    ClientIdentities(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    private synchronized boolean isAdmitted(Identity identity, long nowNanos) {
        Iterator<Map.Entry<Identity, Long>> oldestFirst = seen.entrySet().iterator();
        while (oldestFirst.hasNext()) {
            Map.Entry<Identity, Long> oldest = oldestFirst.next();
            if (nowNanos - oldest.getValue() <= KEPT_NANOS) {
                break;
            }
            oldestFirst.remove();
            countByAddress.computeIfPresent(oldest.getKey().address, (address, count) -> count == 1 ? null : count - 1);
        }
        if (seen.remove(identity) == null) {
            int count = countByAddress.getOrDefault(identity.address, 0);
            if (count >= Limits.ADDRESS_CLIENTS_MAX || seen.size() >= IDENTITIES_MAX) {
                return false;
            }
            countByAddress.put(identity.address, count + 1);
        }
        seen.put(identity, nowNanos);
        return true;
    }

    /** What one connection asks. Confined to its event loop. */
    final class OfConnection {

        private final @Nullable InetAddress address;
        private long lastClient = -1;
        private boolean lastAdmitted;
        private long askedNanos;

        /** Of a connection from that address, null if it has none. */
        OfConnection(@Nullable InetAddress address) {
            this.address = address;
        }

        /**
         * The write as it is to be proposed; null if it must be refused, because its client does not mark its repeats,
         * and too many have come from this address.
         *
         * @param format the cluster's
         */
        Command.@Nullable Write admit(Command.Write write, int format) {
            if (format < Formats.BOUNDS || !(write instanceof Command.Identified identified)) {
                return write;
            }
            long nowNanos = nanoTime.getAsLong();
            if (identified.client() != lastClient || nowNanos - askedNanos > ASKED_AGAIN_NANOS) {
                lastClient = identified.client();
                lastAdmitted = isAdmitted(new Identity(address, lastClient), nowNanos);
                askedNanos = nowNanos;
            }
            if (lastAdmitted) {
                return write;
            }
            return identified.done() > 0 ? identified.asUnlisted() : null;
        }
    }
}
