package io.dshm.server.replication.contracts;

import io.dshm.proto.Reply;

/** Who waits for a reply. Called once, on the thread of the lane that took the command. */
@FunctionalInterface
public interface ReplyListener {
    void onReply(Reply reply);
}
