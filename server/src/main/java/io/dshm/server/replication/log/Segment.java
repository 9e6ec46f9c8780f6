package io.dshm.server.replication.log;

import java.io.IOException;

/** A segment's file. */
final class Segment {

    final SegmentFormat.Head head;
    /** Of a segment that is not the last one, it is for reading only. */
    LogFolder.LogFile file;

    /** How large it is: up to there, writing needs no room on the disk. Of the writing thread. */
    long size;

    Segment(SegmentFormat.Head head, LogFolder.LogFile file) throws IOException {
        this.head = head;
        this.file = file;
        this.size = file.size();
    }

    /** Closes the file, and opens it for reading when it is read next. Nobody reads it at this moment. */
    void closeUntilRead(LogFolder folder) throws IOException {
        file.close();
        file = folder.open(name(), false);
    }

    String name() {
        return SegmentFormat.name(head.number());
    }
}
