package io.dshm.server.statemachine;

import io.dshm.proto.wire.SnapshotClient;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Clients} knows of one of them. Confined to the thread that applies, but for what a view reads under its
 * lock.
 */
final class Client {

    /** Rough bytes of a client without its outcomes; part of a formula that is the same on all nodes. */
    static final long BYTES = 256;

    /** Bytes of each number whose outcome is or may be remembered. */
    static final long OUTCOME_BYTES = 48;

    final long id;
    final Outcomes outcomes = new Outcomes();

    /** 0 for a plain client; otherwise, marked copies of numbers below this may repeat forgotten commands. */
    long knownFrom;

    long usedMillis;
    long detailBytes;

    /** Rises with each command of any client: orders clients by their last command. */
    long used;

    /** Its place in {@link ClientBlocks}. */
    int place;

    /** Its neighbours in a {@link ClientTable}: those with the last command before and after its own. */
    @Nullable
    Client older;

    @Nullable
    Client newer;

    /** The last view that has what it needs of this client. */
    volatile long viewed;

    /** What that view needs, if it has not come here yet. Guarded by the view. */
    @Nullable
    Frozen frozen;

    Client(long id, long knownFrom) {
        this.id = id;
        this.knownFrom = knownFrom;
    }

    long bytes() {
        return BYTES + OUTCOME_BYTES * Math.max(1, outcomes.span()) + detailBytes;
    }

    Frozen freeze() {
        return new Frozen(id, knownFrom, usedMillis, used, outcomes.freeze());
    }

    /** A client as it was at one moment. */
    record Frozen(long id, long knownFrom, long usedMillis, long used, Outcomes.Frozen outcomes) {

        List<SnapshotClient> toWire() {
            return outcomes.toWire(id).stream()
                    .map(piece -> SnapshotClient.newBuilder()
                            .setOutcomes(piece)
                            .setUsedMillis(usedMillis)
                            .setKnownFrom(knownFrom)
                            .build())
                    .toList();
        }
    }
}
