package io.dshm.server.replication.contracts;

/** Hears of this node's role in the Raft group, on the thread that applies, in the order of the events. */
public interface RoleListener {

    /** This node leads in that term; everything before that term is applied here. */
    void onLeading(long term);

    /** This node leads no longer. */
    void onLeadingEnded(long term, String why);

    /** That node leads in that term. */
    void onFollowing(String leader, long term);

    /** The leader of that term is lost or has been replaced. */
    void onFollowingEnded(long term, String why);
}
