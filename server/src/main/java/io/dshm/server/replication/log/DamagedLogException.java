package io.dshm.server.replication.log;

import java.io.IOException;

/**
 * A part of the log that was on the disk is not there any more, or has changed. The message names the file and the
 * offset.
 */
public final class DamagedLogException extends IOException {

    private static final long serialVersionUID = 1;

    /** That is wrong. */
    DamagedLogException(String what) {
        super(what);
    }

    /** What was found in that file, at that offset. */
    public DamagedLogException(String file, long offset, String what) {
        super(file + " is damaged at offset " + offset + ": " + what);
    }
}
