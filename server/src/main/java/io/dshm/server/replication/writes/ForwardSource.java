package io.dshm.server.replication.writes;

import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.statemachine.Outcome;
import java.util.List;

/** Hands commands to a proposer, and is told their results. Called on the lane's thread. */
interface ForwardSource {

    /** The origin of its commands. */
    long origin();

    /** The number below which it needs no outcome any more. */
    long settledBelow();

    /** Commands took effect: those from {@code from} to before {@code to}, with outcomes at the same places. */
    void onOutcomes(long index, List<CommandRecord> records, Outcome[] outcomes, int from, int to);

    /**
     * Commands were not taken in that term, and no later ones will be.
     *
     * @param notLogged sequences that this attempt provably did not append; others may be in the log all the same
     */
    void onNotTaken(long term, List<Long> notLogged);

    /** The proposer no longer holds this many bytes of its commands: they are in the log, or were given up. */
    void onReleased(int bytes);

    /** Another method has thrown this exception, which was logged: what it was to be told is lost. */
    void onBroken(RuntimeException thrown);
}
