package io.dshm.server.replication.writes;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.Result;
import io.dshm.server.statemachine.Outcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The leader's end of a link from another node: its commands into the proposer, their outcomes back. Confined to the
 * lane that the connection lives on.
 */
public final class ForwardSession {

    private final Proposer proposer;
    private final Runnable requestFlush;
    private final Consumer<ForwardReply> replies;
    private final Map<Long, Source> sources = new HashMap<>();

    public ForwardSession(Proposer proposer, Runnable requestFlush, Consumer<ForwardReply> replies) {
        this.proposer = proposer;
        this.requestFlush = requestFlush;
        this.replies = replies;
    }

    /**
     * Takes commands, or refuses all of them if this node does not lead in their term.
     *
     * @throws IllegalArgumentException if they are not what a node of this cluster sends; the connection is to be closed
     */
    public void onForward(Forward forward) {
        long origin = forward.getSettled().getOrigin();
        long settledBelow = forward.getSettled().getBelow();
        if (forward.getRecordsCount() > Limits.ENTRY_COMMANDS_MAX) {
            throw new IllegalArgumentException(forward.getRecordsCount() + " commands in one message");
        }
        Source source = sources.computeIfAbsent(origin, Source::new);
        source.settledBelow = Math.max(source.settledBelow, settledBelow);
        for (CommandRecord record : forward.getRecordsList()) {
            long ahead = record.getSequence() - settledBelow;
            if (record.getOrigin() != origin || ahead < 0 || ahead > Limits.COMMANDS_OUTSTANDING_MAX) {
                throw new IllegalArgumentException("a command whose identity cannot be");
            }
            if (!Records.isValid(record)) {
                throw new IllegalArgumentException("a command that no node may propose: " + record.getCommandCase());
            }
        }
        if (forward.getTerm() != proposer.term()) {
            source.onNotTaken(
                    forward.getTerm(),
                    forward.getRecordsList().stream()
                            .map(CommandRecord::getSequence)
                            .toList());
            return;
        }
        forward.getRecordsList().forEach(record -> proposer.add(record, source));
        requestFlush.run();
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

        @Override
        public void onOutcomes(long index, List<CommandRecord> records, Outcome[] outcomes, int from, int to) {
            ForwardReply.Builder reply = newReply(index);
            int bytes = 0;
            for (int i = from; i < to; i++) {
                if (bytes >= Limits.PEER_RESULTS_BYTES_MAX) {
                    replies.accept(reply.build());
                    reply = newReply(index);
                    bytes = 0;
                }
                Result result = outcomes[i].toWire(records.get(i).getSequence());
                reply.addResults(result);
                bytes += result.getSerializedSize();
            }
            replies.accept(reply.build());
        }

        private ForwardReply.Builder newReply(long index) {
            return ForwardReply.newBuilder().setOrigin(origin).setIndex(index);
        }

        @Override
        public void onNotTaken(long term, List<Long> notLogged) {
            replies.accept(ForwardReply.newBuilder()
                    .setRefusedTerm(term)
                    .addAllNotLogged(notLogged)
                    .setOrigin(origin)
                    .build());
        }
    }
}
