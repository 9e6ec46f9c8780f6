package io.dshm.server.replication.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/** What a log has to hold: the same calls, on a list. */
final class ModelLog {

    /** An entry; each that is ever made is another one. */
    @SuppressWarnings("ArrayRecordComponent") // each array is in one of them
    record Entry(long term, int type, byte[] members, byte[] data) {}

    private final Random random;
    private final List<Entry> entries = new ArrayList<>();
    private long first = 1;
    private long term = 1;

    /** The entries that were being appended when the power went; they may be there, as far as they follow. */
    private List<Entry> inFlight = List.of();

    /** The bounds after the cut that was being made. */
    private long firstInFlight;

    private long nextInFlight;

    ModelLog(Random random) {
        this.random = random;
    }

    static SegmentedLog.Settings settings(Random random) {
        return new SegmentedLog.Settings(16 * 1024, 1024, () -> 32 * 1024, random::nextLong);
    }

    private long next() {
        return first + entries.size();
    }

    /** Does something to the log and, if that succeeds, to this. */
    void step(SegmentedLog log) throws IOException {
        inFlight = List.of();
        firstInFlight = first;
        nextInFlight = next();
        int what = random.nextInt(20);
        if (what < 2 && !entries.isEmpty()) {
            cut(log, first, next() - 1 - random.nextInt(Math.min(entries.size(), 8)));
        } else if (what == 2) {
            long kept = first + random.nextInt(entries.size() + 2);
            cut(log, kept, Math.max(next(), kept));
        } else if (what == 3 && random.nextInt(4) == 0) {
            long index = next() + random.nextInt(5);
            cut(log, index, index);
        } else {
            append(log);
        }
    }

    private void cut(SegmentedLog log, long newFirst, long newNext) throws IOException {
        firstInFlight = newFirst;
        nextInFlight = newNext;
        term++;
        if (newFirst == newNext && newFirst != first) {
            log.reset(newFirst);
        } else if (newFirst != first) {
            log.cutBefore(newFirst);
        } else {
            log.cutAfter(newNext - 1);
        }
        cutTo(newFirst, newNext);
    }

    private void cutTo(long newFirst, long newNext) {
        List<Entry> kept = List.copyOf(entries.subList((int) Math.min(entries.size(), newFirst - first), (int)
                Math.max(Math.min(entries.size(), newFirst - first), Math.min(entries.size(), newNext - first))));
        entries.clear();
        entries.addAll(kept);
        first = newFirst;
        assertEquals(newNext, next());
    }

    private void append(SegmentedLog log) throws IOException {
        List<Entry> group = new ArrayList<>();
        int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 40 : 3);
        for (int i = 0; i < count; i++) {
            byte[] members = new byte[random.nextInt(10) == 0 ? 20 : 0];
            // Few sizes, so that an entry often ends where another one ended before it.
            byte[] data = new byte[random.nextInt(50) == 0 ? random.nextInt(20_000) : 100 * random.nextInt(4)];
            random.nextBytes(members);
            random.nextBytes(data);
            group.add(new Entry(term, random.nextInt(128), members, data));
        }
        inFlight = group;
        append(log, next(), group);
        entries.addAll(group);
        inFlight = List.of();
    }

    static void append(SegmentedLog log, long first, List<Entry> group) throws IOException {
        log.begin(group.stream()
                .mapToLong(entry -> SegmentedLog.bytesOf(entry.members.length, entry.data.length))
                .sum());
        long index = first;
        for (Entry entry : group) {
            log.add(index++, entry.term, entry.type, entry.members, ByteBuffer.wrap(entry.data));
        }
        log.commit();
    }

    /** The log holds that, and nothing else. */
    void check(SegmentedLog log) throws IOException {
        assertEquals(first, log.first());
        assertEquals(next(), log.next());
        assertNull(log.read(first - 1));
        assertNull(log.read(next()));
        for (int i = 0; i < entries.size(); i++) {
            checkEntry(entries.get(i), log, first + i);
        }
    }

    private static void checkEntry(Entry expected, SegmentedLog log, long index) throws IOException {
        LogRecord found = Objects.requireNonNull(log.read(index), () -> "index " + index);
        assertEquals(index, found.index());
        assertEquals(expected.term, found.term());
        assertEquals(expected.type, found.type());
        assertArrayEquals(expected.members, found.members());
        assertArrayEquals(expected.data, found.data(), "index " + index);
    }

    /** The log holds what it did before the last step, or a part of what that was to make of it; this becomes the same. */
    void checkAfterPowerCut(SegmentedLog log) throws IOException {
        if (log.first() != first || log.next() < next()) {
            cutTo(firstInFlight, nextInFlight);
        }
        for (Entry entry : inFlight) {
            if (log.next() > next()) {
                entries.add(entry);
            }
        }
        check(log);
    }
}
