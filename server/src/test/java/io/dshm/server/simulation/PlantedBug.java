package io.dshm.server.simulation;

import io.dshm.proto.Command;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.StatusReply;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What goes wrong between the parts on purpose; nothing, in this one. Each bug overrides what it needs.
 *
 * <p>An object serves one run.
 */
class PlantedBug {

    /** The run that it is planted in, before anything happens. */
    void plant(World world) {}

    /** An entry as it is proposed: what goes into the log instead. */
    byte[] onProposed(int node, byte[] entry, long term) {
        return entry;
    }

    /** A node is about to apply an entry: the bytes that it applies instead of the entry's. */
    byte[] onApply(SimulatedNode node, SimulatedNode.Running running, RaftDisk.Entry entry, byte[] data)
            throws IOException {
        return data;
    }

    /** A snapshot's files as they were written, before anybody reads them. */
    void onSnapshot(SimulatedNode.Running running, Path folder) throws IOException {}

    /** The monotonic clock behind a node's cluster clock. */
    long monotonicNanos(SimulatedNode node) {
        return node.monotonicNanos();
    }

    /** What a node answers to another one that asks about it. */
    StatusReply onStatus(SimulatedNode.Running running, StatusReply status) {
        return status;
    }

    /** The clock by which a holder of shares goes. */
    long shareNanos(long startNanos, long bootNanos) {
        return bootNanos;
    }

    /** What a holder of shares sends. */
    Command.Write onShareWrite(Command.Write write) {
        return write;
    }

    /** What a holder of shares hears. */
    Reply onShareReply(Command.Write write, Reply reply) {
        return reply;
    }

    /** Whether nodes and nginxes hold shares in every run. */
    boolean needsShares() {
        return false;
    }

    /** Whether all clients write large values. */
    boolean needsLargeValues() {
        return false;
    }

    /** Whether a leader is believed to lead, by others and by itself, without the word of a majority. */
    boolean trustsLeaders() {
        return false;
    }

    /** Whether a node that lost its data takes part before it has heard the others' terms. */
    boolean countsAtOnce() {
        return false;
    }

    /** Whether a node that lost its data votes as soon as it has heard the others' terms. */
    boolean votesAtOnce() {
        return false;
    }

    /** Whether a learner's acknowledgement counts for a majority of the voters. */
    boolean countsLearners() {
        return false;
    }

    /** Whether a leader goes on to send to a node that was removed, and counts it. */
    boolean countsRemovedNodes() {
        return false;
    }

    /** Whether a read looks at the store without asking whether it may. */
    boolean readsAtOnce() {
        return false;
    }
}
