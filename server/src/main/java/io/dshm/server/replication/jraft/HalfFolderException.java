package io.dshm.server.replication.jraft;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A part of the node's data folder is missing, damaged, older than it should be, or of another node. The node must not
 * start: it would have forgotten what it had promised to others. The message is for the operator.
 */
public final class HalfFolderException extends IOException {

    private static final long serialVersionUID = 1;

    /**
     * That part is not what it should be.
     *
     * @param part the file or folder
     * @param wrong what is wrong with it, as the rest of a sentence
     */
    public HalfFolderException(Path part, String wrong) {
        super("data-dir: " + part + " " + wrong
                + ". This node must not start with a part of its data: put back what was there"
                + " when it stopped; or, if the other nodes are well, delete the whole folder "
                + part.toAbsolutePath().getParent() + ", and the node gets its data from them");
    }

    /** With a cause that says more. */
    public HalfFolderException(Path part, String wrong, Throwable cause) {
        this(part, wrong);
        initCause(cause);
    }
}
