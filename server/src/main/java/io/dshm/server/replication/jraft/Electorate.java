package io.dshm.server.replication.jraft;

import java.util.Set;

/**
 * Those that vote by one configuration of the group, as a node sees it that has lost its data, or never had any. See
 * {@link JoiningTerm}.
 *
 * @param others the names of the others
 * @param withSelf whether that node votes, too
 */
public record Electorate(Set<String> others, boolean withSelf) {

    /**
     * How many of the others the node must hear. If it votes: so many that it misses none of the majorities that it may
     * have been in, neither of this configuration nor of one with a voter more or less. If it does not: so many that
     * one of them knows whether it has been made a voter since, which a majority of the others has in its log then.
     */
    public int needed() {
        int voters = others.size() + 1;
        return Math.min(others.size(), withSelf ? voters - (voters - 1) / 2 : voters - voters / 2);
    }
}
