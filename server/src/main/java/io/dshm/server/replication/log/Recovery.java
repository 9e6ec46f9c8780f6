package io.dshm.server.replication.log;

import io.dshm.server.replication.log.SegmentFormat.Head;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads a log's files, and finds out what is in it. Changes nothing. */
final class Recovery {

    private static final int READ_BYTES = 256 * 1024;

    private final LogFolder folder;
    private final SegmentFormat format = new SegmentFormat();

    /** In the order of their numbers. Those at the beginning may hold nothing that the log still has. */
    final List<Segment> segments = new ArrayList<>();

    final Runs runs = new Runs();

    /** The indexes of changes of members. */
    final TreeSet<Long> withMembers = new TreeSet<>();

    long first = 1;
    long next = 1;

    /** Where the records of the last segment end. */
    long end = SegmentFormat.RECORDS_AT;

    /** Where the last write to it began. */
    long lastGroup = SegmentFormat.RECORDS_AT;

    /** What was found at the end, if there are records behind {@link #end} that are no part of the log. */
    @Nullable
    String tornTail;

    private Recovery(LogFolder folder) {
        this.folder = folder;
    }

    /**
     * Reads the log in that folder.
     *
     * @throws DamagedLogException if anything is missing that was on the disk, as far as the log can tell by itself
     * @throws IOException if a file cannot be read
     */
    static Recovery read(LogFolder folder) throws IOException {
        Recovery recovery = new Recovery(folder);
        try {
            recovery.readHeads();
            if (!recovery.segments.isEmpty()) {
                recovery.readRecords();
            }
            return recovery;
        } catch (IOException e) {
            recovery.close();
            throw e;
        }
    }

    private void close() throws IOException {
        for (Segment segment : segments) {
            segment.file.close();
        }
    }

    private void readHeads() throws IOException {
        long[] numbers = folder.names().stream()
                .mapToLong(SegmentFormat::numberOf)
                .filter(number -> number >= 0)
                .sorted()
                .toArray();
        for (int i = 0; i < numbers.length; i++) {
            String name = SegmentFormat.name(numbers[i]);
            if (i > 0 && numbers[i] != numbers[i - 1] + 1) {
                throw new DamagedLogException(folder.pathOf(SegmentFormat.name(numbers[i - 1] + 1))
                        + " is missing, and " + folder.pathOf(name) + " is there");
            }
            LogFolder.LogFile file = folder.open(name, false);
            ByteBuffer page = ByteBuffer.allocate(SegmentFormat.RECORDS_AT);
            file.read(page, 0);
            Head head = format.head(page.flip());
            if (head == null || head.number() != numbers[i]) {
                file.close();
                throw new DamagedLogException(folder.pathOf(name), 0, "it does not begin as this segment");
            }
            Segment segment = new Segment(head, file);
            segment.closeUntilRead(folder);
            segments.add(segment);
        }
    }

    private void readRecords() throws IOException {
        int last = segments.size() - 1;
        int begin = last;
        // What earlier segments hold is before that index.
        long firstAtLeast = segments.get(last).head.first();
        while (begin > 0 && segments.get(begin).head.next() > firstAtLeast) {
            begin--;
        }
        next = segments.get(begin).head.next();
        for (int i = begin; i <= last; i++) {
            Segment segment = segments.get(i);
            cutTo(segment.head);
            if (i < last) {
                long due = segments.get(i + 1).head.previousEnd();
                long found = readRecords(segment, due);
                if (found != due) {
                    throw new DamagedLogException(
                            folder.pathOf(segment.name()), found, "there is no whole record, and they go on to " + due);
                }
                segment.closeUntilRead(folder);
            } else {
                end = readRecords(segment, segment.size);
                readTail(segment);
            }
        }
        long missing = runs.firstMissing(first, next);
        if (missing < next) {
            throw new DamagedLogException(folder.pathOf(segments.get(0).name())
                    + " is the first file of the log, but the entry at index " + missing + " is in an earlier one");
        }
    }

    /** The log was cut off there when the segment began. */
    private void cutTo(Head head) {
        runs.dropBefore(head.first());
        runs.dropFrom(head.next());
        withMembers.headSet(head.first()).clear();
        withMembers.tailSet(head.next()).clear();
        first = head.first();
        next = head.next();
    }

    /** Where the first place is that is no record. */
    private long readRecords(Segment segment, long limit) throws IOException {
        Window window = new Window(segment.file, limit, READ_BYTES);
        long salt = segment.head.salt();
        long at = SegmentFormat.RECORDS_AT;
        while (at < limit) {
            int place = window.at(at, SegmentFormat.RECORD_HEAD_BYTES);
            if (!format.isHead(window.bytes(), place, at, salt)) {
                break;
            }
            long bytes = SegmentFormat.padded(SegmentFormat.length(window.bytes(), place));
            place = window.at(at, bytes);
            ByteBuffer record = window.bytes();
            if (!format.isWhole(record, place, salt)) {
                break;
            }
            long index = SegmentFormat.index(record, place);
            if (index != next) {
                throw new DamagedLogException(
                        folder.pathOf(segment.name()),
                        at,
                        "the entry at index " + index + " stands behind " + (next - 1));
            }
            runs.add(segment, index, (int) at);
            if (SegmentFormat.hasMembers(record, place)) {
                withMembers.add(index);
            }
            lastGroup = SegmentFormat.group(record, place);
            next++;
            at += bytes;
        }
        return at;
    }

    /**
     * What is behind the last record of the log. A write that did not come to its end may have left any part of itself
     * there. But a write that began behind this place began when everything before it was on the disk, and so what was
     * here then is lost.
     */
    private void readTail(Segment segment) throws IOException {
        Window window = new Window(segment.file, segment.size, READ_BYTES);
        for (long at = end; at < segment.size; at += 8) {
            int place = window.at(at, SegmentFormat.RECORD_HEAD_BYTES);
            if (!format.isHead(window.bytes(), place, at, segment.head.salt())) {
                continue;
            }
            if (SegmentFormat.group(window.bytes(), place) > end) {
                throw new DamagedLogException(
                        folder.pathOf(segment.name()),
                        end,
                        "there is no whole record, but one at offset " + at + " that was written later");
            }
            tornTail = folder.pathOf(segment.name()) + " ends with a write that was not finished, at offset " + end
                    + ": it is cut off there, behind index " + (next - 1);
        }
    }
}
