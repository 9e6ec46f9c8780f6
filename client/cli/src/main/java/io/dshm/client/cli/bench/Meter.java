package io.dshm.client.cli.bench;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/** What one worker measures. The worker writes; the intervals, and {@link #errors}, are read by another thread. */
final class Meter {

    private static final int DIGITS = 3;
    private static final int ERROR_TEXTS_MAX = 20;

    private final Map<Op, SingleWriterRecorder> recorders = new EnumMap<>(Op.class);
    private final Map<Op, Histogram> intervals = new EnumMap<>(Op.class);
    private final SingleWriterRecorder late = new SingleWriterRecorder(DIGITS);
    private final AtomicLong errors = new AtomicLong();

    /** By outcome, of all words. Read when the worker has ended, as is all that follows. */
    final Map<Reply.Outcome, Long> outcomes = new EnumMap<>(Reply.Outcome.class);

    final Map<String, Long> errorTexts = new HashMap<>();
    /** Replies within the measured time, which the throughput is made of. */
    long inTime;
    /** Requests that were due, and for which there was no room up to the end. */
    long neverSent;
    /** Connections that broke. */
    long breaks;

    Meter(Mix mix) {
        for (Op op : mix.ops()) {
            recorders.put(op, new SingleWriterRecorder(DIGITS));
        }
    }

    static Histogram histogram() {
        return new Histogram(DIGITS);
    }

    /** Latencies are in nanoseconds. */
    void record(Op op, long nanos) {
        Checks.there(recorders.get(op)).recordValue(Math.max(0, nanos));
    }

    /** How much later than planned a request was sent. */
    void late(long nanos) {
        late.recordValue(Math.max(0, nanos));
    }

    void error(String text) {
        errors.incrementAndGet();
        if (errorTexts.size() < ERROR_TEXTS_MAX || errorTexts.containsKey(text)) {
            errorTexts.merge(text, 1L, Long::sum);
        }
    }

    long errors() {
        return errors.get();
    }

    /** Adds what was recorded since the last call. */
    void drain(Map<Op, Histogram> totals, Histogram interval) {
        recorders.forEach((op, recorder) -> {
            Histogram since = recorder.getIntervalHistogram(intervals.get(op));
            intervals.put(op, since);
            totals.computeIfAbsent(op, key -> histogram()).add(since);
            interval.add(since);
        });
    }

    Histogram lateness() {
        return late.getIntervalHistogram();
    }
}
