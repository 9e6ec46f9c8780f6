package io.dshm.server.replication.jraft.rpc;

import com.alipay.sofa.jraft.option.NodeOptions;
import io.dshm.server.replication.jraft.repairs.MemberGuard;
import io.dshm.server.transport.Dialer;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A node's settings, which the library hands to its client: what {@link MemberRpcClient} needs is among them. */
public final class MemberOptions extends NodeOptions {

    private final Dialer dialer;
    private final Function<String, @Nullable String> nameOf;
    private final BooleanSupplier mayVote;
    private final LongPredicate mayCopy;
    private final @Nullable MemberGuard guard;
    private final LongSupplier lastAppended;

    /**
     * Settings for one node.
     *
     * @param nameOf the name of the member with that Raft address, {@code host:port}; null if there is none
     * @param mayVote whether requests for votes are sent now
     * @param mayCopy whether so many bytes of another member's snapshot are asked for: not if they have no room
     * @param guard admits answers; null: all are admitted
     * @param lastAppended the last index in this node's log; cheap, any thread
     */
    public MemberOptions(
            Dialer dialer,
            Function<String, @Nullable String> nameOf,
            BooleanSupplier mayVote,
            LongPredicate mayCopy,
            @Nullable MemberGuard guard,
            LongSupplier lastAppended) {
        this.dialer = dialer;
        this.nameOf = nameOf;
        this.mayVote = mayVote;
        this.mayCopy = mayCopy;
        this.guard = guard;
        this.lastAppended = lastAppended;
    }

    Dialer dialer() {
        return dialer;
    }

    Function<String, @Nullable String> nameOf() {
        return nameOf;
    }

    BooleanSupplier mayVote() {
        return mayVote;
    }

    LongPredicate mayCopy() {
        return mayCopy;
    }

    @Nullable
    MemberGuard guard() {
        return guard;
    }

    LongSupplier lastAppended() {
        return lastAppended;
    }
}
