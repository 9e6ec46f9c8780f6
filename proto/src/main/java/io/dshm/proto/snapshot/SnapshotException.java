package io.dshm.proto.snapshot;

import java.io.IOException;

/** A snapshot or backup is damaged, not whole, or of another format; the message says where and how. */
public class SnapshotException extends IOException {

    private static final long serialVersionUID = 1;

    private final boolean newer;

    /** Something is damaged or not whole. */
    public SnapshotException(String message) {
        this(message, false);
    }

    /** Something is damaged or not whole, as the cause shows. */
    public SnapshotException(String message, Throwable cause) {
        super(message, cause);
        this.newer = false;
    }

    SnapshotException(String message, boolean newer) {
        super(message);
        this.newer = newer;
    }

    /** Whether nothing is damaged, but only a newer version of DSHM reads it. */
    public boolean isNewer() {
        return newer;
    }
}
