package io.dshm.server.statemachine;

import io.dshm.proto.Formats;

/** A log entry or snapshot that only a newer version reads. Nothing is damaged: this node has to be upgraded. */
public final class NewerFormatException extends CorruptStateException {

    private static final long serialVersionUID = 1;

    /** @param what this version does not read, and where it stands */
    NewerFormatException(String what) {
        super(what + "; this version reads formats up to " + Formats.NEWEST
                + ": install on this node the version that the other nodes run");
    }
}
