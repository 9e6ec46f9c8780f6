package io.dshm.server.replication.jraft;

import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line in the leader's log when another member falls silent, and one when it is back. SOFAJRaft itself logs twice a
 * second that it cannot be reached, which floods the log. Confined to one thread.
 */
final class PeerWatch {

    private static final Logger LOG = LoggerFactory.getLogger(PeerWatch.class);

    private Set<String> silent = new TreeSet<>();

    /** This node leads, and these other members do not answer now. */
    void onSilent(Set<String> now) {
        for (String member : now) {
            if (!silent.contains(member)) {
                LOG.warn("{} does not answer any more", member);
            }
        }
        for (String member : silent) {
            if (!now.contains(member)) {
                LOG.info("{} answers again", member);
            }
        }
        silent = new TreeSet<>(now);
    }

    /** This node does not lead: it cannot tell. */
    void onNotLeading() {
        silent = new TreeSet<>();
    }
}
