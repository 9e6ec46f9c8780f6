package io.dshm.proto;

import java.util.Locale;

/** Which acknowledged writes a read must see. On the wire and in configurations a mode is its name in lower case. */
public enum ReadMode {
    /** Answered at once: sees all that this node has acknowledged, and may lag behind what other nodes have. */
    LOCAL,
    /** Sees every write that was acknowledged anywhere before the read began; costs a question to a majority. */
    LINEARIZABLE;

    private final String wireName = name().toLowerCase(Locale.ROOT);

    /** The mode as it stands on the wire, for example {@code linearizable}. */
    public String wireName() {
        return wireName;
    }
}
