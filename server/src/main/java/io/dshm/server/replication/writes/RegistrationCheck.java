package io.dshm.server.replication.writes;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.RegisterNode;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;

/**
 * Whether a registration that reaches the leader is that of the member whose name it bears: the leader asks back at the
 * address that the configuration has for that member. A name belongs to the process that answers there; whoever sends a
 * registration from elsewhere, and a late copy of an earlier start's, are refused. Thread-safe.
 *
 * <p>Nodes of format 1 do not understand the question. Until the cluster has switched they are not asked, as among
 * nodes of format 1; a node that claims to read a newer format is asked also before that.
 */
public final class RegistrationCheck {

    /** Asks members. */
    @FunctionalInterface
    public interface Members {

        /**
         * Asks the member of that name, at its address, whether the registration is its own. Any thread.
         *
         * @return its answer, false also if there is no such member; completes exceptionally if none came in time, see
         *     {@link io.dshm.server.replication.contracts.PeerStatuses#ask}
         */
        CompletableFuture<Boolean> isOwn(RegisterNode registration, long timeoutMillis);
    }

    private static final long ASK_MILLIS = 1_000;

    private final Members members;
    private final IntSupplier clusterFormat;

    public RegistrationCheck(Members members, IntSupplier clusterFormat) {
        this.members = members;
        this.clusterFormat = clusterFormat;
    }

    /** Whether the member has to be asked. */
    boolean isDue(RegisterNode registration) {
        return clusterFormat.getAsInt() >= Formats.BOUNDS || registration.getFormat() >= Formats.BOUNDS;
    }

    CompletableFuture<Boolean> isOwn(RegisterNode registration) {
        return members.isOwn(registration, ASK_MILLIS);
    }
}
