package io.dshm.server.replication.writes;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.Result;
import io.dshm.server.guard.Guard;
import io.dshm.server.statemachine.Admission;
import io.dshm.server.statemachine.Outcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The leader's end of a link from another node: its commands into the proposer, their outcomes back. Confined to the
 * lane that the connection lives on.
 */
public final class ForwardSession {

    private static final Logger LOG = LoggerFactory.getLogger(ForwardSession.class);

    /** The way back to the other node, for the lane's thread. */
    @FunctionalInterface
    public interface Peer {

        void send(ForwardReply reply);

        /** Whether more of what the node sends is to be read. */
        default void setReading(boolean reading) {}

        /** Ends the connection: the node sends everything again by another one. */
        default void close() {}
    }

    private final Proposer proposer;
    private final Runnable requestFlush;
    private final Peer peer;
    private final Executor lane;
    private final RegistrationCheck registrations;

    /** Of commands that the proposer holds. */
    private long bytesHeld;

    private boolean reading = true;
    private final Map<Long, Source> sources = new HashMap<>();

    /** Whether a member is being asked about a registration. */
    private boolean checking;

    public ForwardSession(
            Proposer proposer, Runnable requestFlush, Peer peer, Executor lane, RegistrationCheck registrations) {
        this.proposer = proposer;
        this.requestFlush = requestFlush;
        this.peer = peer;
        this.lane = lane;
        this.registrations = registrations;
    }

    /**
     * Takes commands, or refuses all of them if this node does not lead in their term.
     *
     * @throws IllegalArgumentException if they are not what a node of this cluster sends; the connection is to be
     *     closed
     */
    public void onForward(Forward forward) {
        long origin = forward.getSettled().getOrigin();
        long settledBelow = forward.getSettled().getBelow();
        if (forward.getRecordsCount() > Limits.ENTRY_COMMANDS_MAX) {
            throw new IllegalArgumentException(forward.getRecordsCount() + " commands in one message");
        }
        if (!Admission.isSettled(forward.getSettled())) {
            throw new IllegalArgumentException("an origin that cannot be, or a number of its commands");
        }
        for (CommandRecord record : forward.getRecordsList()) {
            long ahead = record.getSequence() - settledBelow;
            if (record.getOrigin() != origin || ahead < 0 || ahead > Limits.COMMANDS_OUTSTANDING_MAX) {
                throw new IllegalArgumentException("a command whose identity cannot be");
            }
            Admission.require(record);
        }
        Source source = sources.computeIfAbsent(origin, Source::new);
        source.settledBelow = Math.max(source.settledBelow, settledBelow);
        if (forward.getTerm() != proposer.term()) {
            source.onNotTaken(
                    forward.getTerm(),
                    forward.getRecordsList().stream()
                            .map(CommandRecord::getSequence)
                            .toList());
            return;
        }
        for (CommandRecord record : forward.getRecordsList()) {
            if (record.hasRegisterNode() && registrations.isDue(record.getRegisterNode())) {
                checkRegistration(record, forward.getTerm(), source);
            } else {
                propose(record, source);
            }
        }
        readIfRoom();
        requestFlush.run();
    }

    private void propose(CommandRecord record, Source source) {
        bytesHeld += record.getSerializedSize();
        proposer.add(record, source);
    }

    /** The node waits in its own memory, and by TCP, while enough of it waits here. */
    private void readIfRoom() {
        boolean room = bytesHeld < (reading ? Limits.SESSION_BYTES_MAX : Limits.SESSION_BYTES_MAX / 2);
        if (room != reading) {
            reading = room;
            peer.setReading(room);
        }
    }

    /** Proposes it if its sender is who it says; one at a time. */
    private void checkRegistration(CommandRecord record, long term, Source source) {
        if (checking) {
            source.answer(record, Outcome.BUSY);
            return;
        }
        checking = true;
        registrations
                .isOwn(record.getRegisterNode())
                .whenCompleteAsync(
                        Guard.last("checking a registration", (own, failure) -> {
                            checking = false;
                            if (failure != null) {
                                source.answer(record, Outcome.BUSY);
                            } else if (!own) {
                                LOG.warn(
                                        "a registration as {} was refused: it is not that of the process at {}'s address",
                                        record.getRegisterNode().getNode(),
                                        record.getRegisterNode().getNode());
                                source.answer(record, Outcome.EXISTS);
                            } else if (proposer.term() != term) {
                                source.onNotTaken(term, List.of(record.getSequence()));
                            } else {
                                propose(record, source);
                                requestFlush.run();
                            }
                        }),
                        lane);
    }

    /** One origin of the node at the other end. */
    private final class Source implements ForwardSource {

        private final long origin;
        private long settledBelow = 1;

        Source(long origin) {
            this.origin = origin;
        }

        @Override
        public long origin() {
            return origin;
        }

        @Override
        public long settledBelow() {
            return settledBelow;
        }

        /** For what does not reach the log. */
        void answer(CommandRecord record, Outcome outcome) {
            onOutcomes(0, List.of(record), new Outcome[] {outcome}, 0, 1);
        }

        @Override
        public void onOutcomes(long index, List<CommandRecord> records, Outcome[] outcomes, int from, int to) {
            ForwardReply.Builder reply = newReply(index);
            int bytes = 0;
            for (int i = from; i < to; i++) {
                if (bytes >= Limits.PEER_RESULTS_BYTES_MAX) {
                    peer.send(reply.build());
                    reply = newReply(index);
                    bytes = 0;
                }
                Result result = outcomes[i].toWire(records.get(i).getSequence());
                reply.addResults(result);
                bytes += result.getSerializedSize();
            }
            peer.send(reply.build());
        }

        @Override
        public void onReleased(int bytes) {
            bytesHeld -= bytes;
            readIfRoom();
        }

        @Override
        public void onBroken(RuntimeException thrown) {
            peer.close();
        }

        private ForwardReply.Builder newReply(long index) {
            return ForwardReply.newBuilder().setOrigin(origin).setIndex(index);
        }

        @Override
        public void onNotTaken(long term, List<Long> notLogged) {
            peer.send(ForwardReply.newBuilder()
                    .setRefusedTerm(term)
                    .addAllNotLogged(notLogged)
                    .setOrigin(origin)
                    .build());
        }
    }
}
