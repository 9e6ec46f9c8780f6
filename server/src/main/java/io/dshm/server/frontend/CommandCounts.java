package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.counters.Distribution;
import io.dshm.server.counters.Printable;
import io.dshm.server.counters.Tally;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the clients of one event loop have asked and got. Written by the loop, without locks and, once each kind of
 * command was seen, without allocation; read by any thread.
 *
 * <p>How long a command took is counted from the moment at which its connection began to decode what had arrived, until
 * its reply was ready to be sent. Commands that are answered on the spot are timed together: the clock is read twice
 * for all that a connection does in one turn, not twice for each of them.
 */
@SuppressWarnings("EnumOrdinal") // places in arrays, which nothing outside of this process sees
public final class CommandCounts {

    /** The outcome of a command that got no error. */
    private static final int OK = 0;

    private static final CommandKind[] KINDS = CommandKind.values();
    private static final ErrorCode[] CODES = ErrorCode.values();
    private static final int OUTCOMES = CODES.length + 1;

    /** Under which takes are counted whose policy comes with the command. */
    private static final String INLINE = "inline";

    /** Under which takes are counted of policies that came when enough others were known. */
    private static final String REST = "other";

    private static final int POLICY_CHARACTERS_MAX = 64;

    /** How a read was answered. */
    public enum ReadWay {
        /** At once, from this node's store. */
        LOCAL,
        /** The same, after it had waited until this node had applied what it had acknowledged. */
        LOCAL_WAITED,
        /** After a majority had confirmed that nothing is missing. */
        LINEARIZABLE
    }

    /** What a policy has decided here. */
    public static final class Takes {

        private final String policy;
        private final Tally admitted = new Tally();
        private final Tally refused = new Tally();

        Takes(String policy) {
            this.policy = policy;
        }

        /** The policy's name, made printable. */
        public String policy() {
            return policy;
        }

        public long admitted() {
            return admitted.get();
        }

        public long refused() {
            return refused.get();
        }
    }

    private final LongSupplier nanoTime;
    private final AtomicLongArray answers = new AtomicLongArray(KINDS.length * OUTCOMES);
    private final @Nullable Distribution[] times = new Distribution[KINDS.length];
    private final Tally[] reads = {new Tally(), new Tally(), new Tally()};
    private final Tally bytesReceived = new Tally();
    private final Tally bytesSent = new Tally();
    private final Map<Key, Takes> takes = new ConcurrentHashMap<>();
    private final Takes inlineTakes = new Takes(INLINE);
    private final Takes otherTakes = new Takes(REST);

    /** When the present turn of a connection began. Confined to the loop. */
    private long begunNanos;

    /** How many of each kind were answered on the spot in this turn. Confined to the loop. */
    private final int[] onTheSpot = new int[KINDS.length];

    /** The kinds of which there are any {@link #onTheSpot}, as bits. */
    private long kindsOnTheSpot;

    /**
     * Nothing is counted yet.
     *
     * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
     */
    public CommandCounts(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        for (int i = 0; i < times.length; i++) {
            times[i] = new Distribution(Distribution.Range.SECONDS);
        }
    }

    // --- written by the loop ---

    /** A connection begins to handle what has arrived. */
    public void begin() {
        begunNanos = nanoTime.getAsLong();
    }

    /** When that was. */
    public long begunNanos() {
        return begunNanos;
    }

    /** The connection has handled what it could: what was answered on the spot has taken until now. */
    public void end() {
        if (kindsOnTheSpot == 0) {
            return;
        }
        long took = nanoTime.getAsLong() - begunNanos;
        for (long kinds = kindsOnTheSpot; kinds != 0; kinds &= kinds - 1) {
            int kind = Long.numberOfTrailingZeros(kinds);
            times(kind).record(took, onTheSpot[kind]);
            onTheSpot[kind] = 0;
        }
        kindsOnTheSpot = 0;
    }

    /** A command got its reply in the turn in which it was decoded. */
    public void answeredAtOnce(CommandKind kind, Reply reply) {
        answeredAtOnce(kind, outcomeOf(reply));
    }

    /** The same of a read that got a value. */
    public void foundAtOnce(CommandKind kind) {
        answeredAtOnce(kind, OK);
    }

    private void answeredAtOnce(CommandKind kind, int outcome) {
        count(kind, outcome);
        onTheSpot[kind.ordinal()]++;
        kindsOnTheSpot |= 1L << kind.ordinal();
    }

    /** A command got its reply later. */
    public void answered(CommandKind kind, Reply reply, long sinceNanos) {
        count(kind, outcomeOf(reply));
        times(kind.ordinal()).record(nanoTime.getAsLong() - sinceNanos);
    }

    private static int outcomeOf(Reply reply) {
        return reply instanceof Reply.Failure failure ? failure.code().ordinal() + 1 : OK;
    }

    private void count(CommandKind kind, int outcome) {
        int slot = kind.ordinal() * OUTCOMES + outcome;
        answers.setRelease(slot, answers.getPlain(slot) + 1);
    }

    private Distribution times(int kind) {
        Distribution one = times[kind];
        if (one == null) {
            throw new IllegalStateException("no kind " + kind);
        }
        return one;
    }

    /** A read was answered. */
    public void read(ReadWay way) {
        reads[way.ordinal()].add(1);
    }

    /** A limit has decided, or nothing was decided because of an error. */
    public void taken(Command.Take take, Reply reply) {
        if (reply instanceof Reply.Detailed decision) {
            Takes counts = takesOf(take.policyKey());
            (decision.details().startsWith("allowed=0") ? counts.refused : counts.admitted).add(1);
        }
    }

    private Takes takesOf(@Nullable Key policy) {
        if (policy == null) {
            return inlineTakes;
        }
        Takes known = takes.get(policy);
        if (known != null) {
            return known;
        }
        if (takes.size() >= Limits.POLICIES_COUNTED_MAX) {
            return otherTakes;
        }
        Takes created = new Takes(Printable.of(policy.bytes(), POLICY_CHARACTERS_MAX));
        takes.put(policy, created);
        return created;
    }

    public Tally bytesReceived() {
        return bytesReceived;
    }

    public Tally bytesSent() {
        return bytesSent;
    }

    // --- read by any thread ---

    /** Hears how often a command had an outcome. */
    @FunctionalInterface
    public interface AnswerReader {

        /**
         * One of them.
         *
         * @param outcome {@code ok}, or an error's name on the wire
         */
        void answers(CommandKind kind, String outcome, long count);
    }

    /** What was answered: each kind with {@code ok}, and with the errors that it had. */
    public void answers(AnswerReader reader) {
        for (CommandKind kind : KINDS) {
            for (int outcome = 0; outcome < OUTCOMES; outcome++) {
                long count = answers.getAcquire(kind.ordinal() * OUTCOMES + outcome);
                if (count > 0 || outcome == OK) {
                    reader.answers(kind, outcome == OK ? "ok" : CODES[outcome - 1].wireName(), count);
                }
            }
        }
    }

    /** How long commands of that kind took. */
    public Distribution times(CommandKind kind) {
        return times(kind.ordinal());
    }

    /** How many reads were answered in that way. */
    public long reads(ReadWay way) {
        return reads[way.ordinal()].get();
    }

    /** What limits have decided, by policy; no more than {@link Limits#POLICIES_COUNTED_MAX} by name. */
    public List<Takes> takes() {
        List<Takes> all = new ArrayList<>(takes.values());
        all.add(inlineTakes);
        all.add(otherTakes);
        return all;
    }
}
