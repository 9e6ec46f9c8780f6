package io.dshm.server.replication.writes;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.counters.Distribution;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.MemoryLimit;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Group commit on the leader: what waits at the same moment shares a log entry. A lone command goes out at once; under
 * load the limit on entries in flight makes commands wait, and what waits travels together.
 *
 * <p>A client that has just been answered often sends its next command at once. So after an entry was applied, the next
 * one waits until most of as many commands are there as were outstanding then, for at most {@link #COMPANY_NANOS}. What
 * that saves is in {@code server/README.md}, "Waiting for company".
 *
 * <p>Confined to its lane's thread.
 */
public final class Proposer {

    private static final Logger LOG = LoggerFactory.getLogger(Proposer.class);

    /** How long commands are waited for that may not come. About the time that an answered client takes. */
    static final long COMPANY_NANOS = TimeUnit.MICROSECONDS.toNanos(200);

    /** Of those that may come, in tenths: it is not worth to wait for the last ones. */
    private static final int COMPANY_TENTHS = 9;

    private record Waiting(CommandRecord record, ForwardSource source) {}

    /** Runs a task on the lane's thread, after some time. */
    @FunctionalInterface
    public interface Timer {
        void after(long nanos, Runnable task);
    }

    private final RaftLog log;
    private final ClusterClock clock;
    private final ClockAndRandom machine;
    private final Executor lane;
    private final Timer timer;
    private final MemoryLimit memory;
    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();

    private long term;
    private final ArrayDeque<Batch> inFlight = new ArrayDeque<>();
    private int commandsInFlight;

    /** How many commands were outstanding when the last entry was applied, and until when as many are waited for. */
    private int company;

    private long companyUntilNanos;
    private boolean timerRuns;

    private final Distribution entryCommands = new Distribution(Distribution.Range.COUNTS);
    private final Distribution entryTimes = new Distribution(Distribution.Range.SECONDS);

    public Proposer(
            RaftLog log, ClusterClock clock, ClockAndRandom machine, Executor lane, Timer timer, MemoryLimit memory) {
        this.memory = memory;
        this.timer = timer;
        this.log = log;
        this.clock = clock;
        this.machine = machine;
        this.lane = lane;
    }

    /** How many commands went into each entry. Any thread may read it. */
    public Distribution entryCommands() {
        return entryCommands;
    }

    /** From an entry's proposal until it was applied here, in nanoseconds. Any thread may read it. */
    public Distribution entryTimes() {
        return entryTimes;
    }

    /** What waits to be proposed or for its outcome, in commands. */
    public int outstanding() {
        return queue.size() + commandsInFlight;
    }

    /** The term in which this node leads, or 0. */
    long term() {
        return term;
    }

    /** This node leads from now on, in that term, or no longer (0). What waited is not taken. */
    public void setTerm(long newTerm) {
        long oldTerm = term;
        term = newTerm;
        inFlight.forEach(batch -> batch.room.landed());
        inFlight.clear();
        commandsInFlight = 0;
        company = 0;
        Map<ForwardSource, List<Long>> waited = new LinkedHashMap<>();
        for (Waiting waiting : queue) {
            waited.computeIfAbsent(waiting.source, s -> new ArrayList<>()).add(waiting.record.getSequence());
        }
        List<Waiting> dropped = List.copyOf(queue);
        queue.clear();
        dropped.forEach(waiting -> waiting.source.onReleased(waiting.record.getSerializedSize()));
        waited.forEach((source, sequences) -> tellNotTaken(source, oldTerm, sequences));
    }

    private static void tellNotTaken(ForwardSource source, long term, List<Long> notLogged) {
        try {
            source.onNotTaken(term, notLogged);
        } catch (RuntimeException e) {
            broken(source, e);
        }
    }

    /** What one source throws is no other's loss. */
    private static void broken(ForwardSource source, RuntimeException thrown) {
        Guard.thrown("who forwarded commands", thrown);
        try {
            source.onBroken(thrown);
        } catch (RuntimeException again) {
            Guard.thrown("who forwarded commands, and was told of its failure,", again);
        }
    }

    /**
     * Takes a command for the next entry; {@link #flush} follows.
     *
     * @param record admitted: {@link Outbox#submit} and {@link ForwardSession#onForward}, the only ways to here, ask
     *     {@link io.dshm.server.statemachine.Admission}
     */
    void add(CommandRecord record, ForwardSource source) {
        queue.add(new Waiting(record, source));
    }

    /** Proposes what waits, as far as it is time for that. */
    public void flush() {
        while (!queue.isEmpty() && isTime()) {
            proposeNext();
        }
    }

    /**
     * While one entry is in flight, the next one goes only when as much waits: a smaller one would cost as many
     * wake-ups, on every node, for less.
     */
    private boolean isTime() {
        if (!inFlight.isEmpty()) {
            return inFlight.size() < Limits.ENTRIES_IN_FLIGHT_MAX && queue.size() * inFlight.size() >= commandsInFlight;
        }
        if (10 * queue.size() >= COMPANY_TENTHS * Math.min(company, Limits.ENTRY_COMMANDS_MAX)) {
            return true;
        }
        long waitNanos = companyUntilNanos - machine.nanoTime().getAsLong();
        if (waitNanos > 0 && !timerRuns) {
            timerRuns = true;
            timer.after(waitNanos, this::onTimer);
        }
        return waitNanos <= 0;
    }

    private void onTimer() {
        timerRuns = false;
        flush();
    }

    /**
     * Gives up on entries that the log has not answered for in that time, so that they do not hold up the others for
     * ever. Their senders ask again; an answer that comes late is still passed on.
     */
    public void expire(long nowNanos, long timeoutNanos) {
        for (Batch batch : List.copyOf(inFlight)) {
            if (nowNanos - batch.proposedNanos > timeoutNanos) {
                LOG.warn("an entry of {} commands has had no outcome for too long", batch.records.size());
                batch.notTaken(true);
            }
        }
    }

    /** Logs the time. */
    public void tick() {
        if (term != 0) {
            propose(newEntry(), List.of(), memory.reservation());
        }
    }

    /** Switches the cluster to that format. To do so again changes nothing. */
    public void switchFormat(int format) {
        if (term != 0) {
            LOG.info("all members read format {}: the cluster is switched to it", format);
            propose(CommandRecord.newBuilder()
                    .setSwitchFormat(SwitchFormat.newBuilder().setFormat(format))
                    .build());
        }
    }

    /** Proposes a record of the cluster's own, if this node leads. Nobody hears of its outcome. */
    public void propose(CommandRecord record) {
        if (term != 0) {
            propose(newEntry().addRecords(record), List.of(), memory.reservation());
        }
    }

    private void proposeNext() {
        LogEntry.Builder entry = newEntry();
        List<ForwardSource> sources = new ArrayList<>();
        MemoryLimit.Reservation room = memory.reservation();
        int bytes = 0;
        int requests = 0;
        ForwardSource previous = null;
        while (!queue.isEmpty() && sources.size() < Limits.ENTRY_COMMANDS_MAX && bytes < Limits.ENTRY_BYTES_MAX) {
            Waiting waiting = queue.element();
            requests += requestsIn(waiting.record);
            if (requests > Limits.ENTRY_REQUESTS_MAX) {
                break;
            }
            CommandRecord admitted = room.admit(waiting.record);
            if (admitted == null) {
                break;
            }
            queue.remove();
            entry.addRecords(admitted);
            sources.add(waiting.source);
            bytes += waiting.record.getSerializedSize();
            if (waiting.source != previous) {
                previous = waiting.source;
                entry.addSettled(
                        Settled.newBuilder().setOrigin(previous.origin()).setBelow(previous.settledBelow()));
            }
        }
        entryCommands.record(sources.size());
        propose(entry.addAllEvicted(room.evictions()), sources, room);
    }

    /** See {@link Limits#ENTRY_REQUESTS_MAX}. */
    private static int requestsIn(CommandRecord record) {
        return switch (record.getCommandCase()) {
            case MULTI -> record.getMulti().getWritesCount();
            case TAKE_ALL -> record.getTakeAll().getTakesCount();
            default -> 1;
        };
    }

    private LogEntry.Builder newEntry() {
        return LogEntry.newBuilder()
                .setStampMillis(clock.stampMillis())
                .setWallMillis(machine.wallMillis().getAsLong());
    }

    private void propose(LogEntry.Builder builder, List<ForwardSource> sources, MemoryLimit.Reservation room) {
        LogEntry entry = builder.build();
        Batch batch = new Batch(
                term, entry.getRecordsList(), sources, room, machine.nanoTime().getAsLong());
        inFlight.add(batch);
        room.proposed();
        commandsInFlight += entry.getRecordsCount();
        log.propose(entry.toByteArray(), term, batch);
    }

    /** A proposed entry, and who waits for it. Called by the log on its own threads; goes on in the lane. */
    private final class Batch implements RaftLog.Proposal {

        private final long batchTerm;
        private final List<CommandRecord> records;
        private final List<ForwardSource> sources;
        private final MemoryLimit.Reservation room;
        private final long proposedNanos;
        private boolean released;

        Batch(
                long batchTerm,
                List<CommandRecord> records,
                List<ForwardSource> sources,
                MemoryLimit.Reservation room,
                long proposedNanos) {
            this.room = room;
            this.batchTerm = batchTerm;
            this.records = records;
            this.sources = sources;
            this.proposedNanos = proposedNanos;
        }

        @Override
        public void applied(long index, Outcome[] outcomes) {
            lane.execute(() -> {
                long now = machine.nanoTime().getAsLong();
                entryTimes.record(now - proposedNanos);
                company = outstanding();
                companyUntilNanos = now + COMPANY_NANOS;
                landed();
                int from = 0;
                while (from < sources.size()) {
                    int to = endOfGroup(from);
                    ForwardSource source = sources.get(from);
                    try {
                        source.onOutcomes(index, records, outcomes, from, to);
                    } catch (RuntimeException e) {
                        broken(source, e);
                    }
                    from = to;
                }
                flush();
            });
        }

        /** Where the commands of another source begin. */
        private int endOfGroup(int from) {
            int to = from + 1;
            while (to < sources.size() && sources.get(to) == sources.get(from)) {
                to++;
            }
            return to;
        }

        @Override
        public void refused() {
            lane.execute(() -> notTaken(false));
        }

        @Override
        public void uncertain(String reason) {
            LOG.debug("entry of term {} with {} commands: outcome open: {}", batchTerm, records.size(), reason);
            lane.execute(() -> notTaken(true));
        }

        private void landed() {
            if (inFlight.remove(this)) {
                commandsInFlight -= records.size();
                room.landed();
            }
            if (!released) {
                released = true;
                for (int i = 0; i < sources.size(); i++) {
                    sources.get(i).onReleased(records.get(i).getSerializedSize());
                }
            }
        }

        private void notTaken(boolean uncertain) {
            landed();
            Map<ForwardSource, List<Long>> notLogged = new LinkedHashMap<>();
            for (int i = 0; i < sources.size(); i++) {
                List<Long> sequences = notLogged.computeIfAbsent(sources.get(i), s -> new ArrayList<>());
                if (!uncertain) {
                    sequences.add(records.get(i).getSequence());
                }
            }
            notLogged.forEach((source, sequences) -> tellNotTaken(source, batchTerm, sequences));
            flush();
        }
    }
}
