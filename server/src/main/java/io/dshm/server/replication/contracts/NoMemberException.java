package io.dshm.server.replication.contracts;

import java.io.IOException;

/** Another node of this node's cluster says that this node is no member of it. */
public final class NoMemberException extends IOException {

    private static final long serialVersionUID = 1;

    /**
     * The answer of that node.
     *
     * @param who its name
     */
    public NoMemberException(String who) {
        super(who + " says that this node is no member of the cluster");
    }
}
