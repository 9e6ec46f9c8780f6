package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.Introduction;
import io.dshm.proto.Limits;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The identities of a client, as many as its outstanding writes need. Of the event loop.
 *
 * <p>An identity is made known to the cluster, by a write that changes nothing, before it is used: see
 * {@link Introduction}.
 */
final class Identities {

    private static final long CLIENT_END = 1_000_000_000_000_000_000L;

    /** The cluster forgets an identity 20 minutes after its last write; half of that is on the safe side. */
    private static final long KNOWN_NANOS =
            Duration.ofMillis(Limits.CLIENT_IDLE_MILLIS / 2).toNanos();

    private final SecureRandom random = new SecureRandom();
    private final List<Identity> all = new ArrayList<>();
    private final int max;

    private @Nullable Identity current;
    private @Nullable Identity introduced;

    /** Whether this client may have rights in some regions only. */
    private boolean inRegions;

    /**
     * @param outstandingMax writes that may be outstanding
     * @param isUser whether this client may have rights in some regions only
     */
    Identities(int outstandingMax, boolean isUser) {
        this.inRegions = isUser;
        this.max = 2 + outstandingMax / (Limits.CLIENT_OUTCOMES_MAX / 2);
    }

    /** Gives a write its number; false if there is no identity with room now. */
    boolean give(Call<?> call) {
        Identity with = withRoom(call.startedNanos);
        if (with == null) {
            return false;
        }
        call.identity = with;
        call.sequence = with.take();
        return true;
    }

    private @Nullable Identity withRoom(long nowNanos) {
        Identity first = current;
        if (first != null && isUsable(first, nowNanos)) {
            return first;
        }
        all.removeIf(
                identity -> identity.isIdle() && identity.isKnown() && nowNanos - identity.usedNanos() > KNOWN_NANOS);
        for (Identity identity : all) {
            if (isUsable(identity, nowNanos)) {
                current = identity;
                return identity;
            }
        }
        return null;
    }

    private static boolean isUsable(Identity identity, long nowNanos) {
        return identity.isKnown() && identity.hasRoom() && nowNanos - identity.usedNanos() <= KNOWN_NANOS;
    }

    /** A new one, to be made known, if there may be one more and none is on its way. */
    @Nullable
    Identity introduce() {
        if (introduced != null || all.size() >= max) {
            return null;
        }
        Identity identity = new Identity(random.nextLong(CLIENT_END));
        all.add(identity);
        introduced = identity;
        return identity;
    }

    /** The write that makes it known, so that this one can follow. */
    Command.Write introduction(Identity identity, Command.Write first) {
        return Introduction.of(identity.client(), first, inRegions);
    }

    /** From now on identities are introduced in the regions of their writes; false if they were before. */
    boolean introduceInRegions() {
        boolean changed = !inRegions;
        inRegions = true;
        return changed;
    }

    /** That write was answered. */
    void introduced(Identity identity, long nowNanos) {
        introduced = null;
        identity.becomeKnown(nowNanos);
    }

    /** That write was refused, or it is not known what became of it: another one takes its place. */
    void dropped(Identity identity) {
        introduced = null;
        all.remove(identity);
    }
}
