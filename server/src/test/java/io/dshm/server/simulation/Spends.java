package io.dshm.server.simulation;

import io.dshm.proto.wire.GrantCommand;
import io.dshm.proto.wire.ReturnCommand;
import java.util.HashMap;
import java.util.Map;

/**
 * What holders of shares have spent by themselves. Each token must be one that the log counts as held at that moment: so whatever is
 * used, held and reserved together is within the limit as long as that is so in the log.
 */
final class Spends {

    private final Map<String, Long> spent = new HashMap<>();
    private final Map<String, Long> ends = new HashMap<>();
    private int count;

    int count() {
        return count;
    }

    void onSpent(String key, String holder, long cost, Reference reference) {
        count++;
        long sum = spent.merge(holder, cost, Long::sum);
        long left = reference.shareLeft(key, holder);
        Checks.require(
                sum <= left, "%s has spent %d tokens of %s, and the log has %d for it by now", holder, sum, key, left);
    }

    /** A share has been granted, or refused. */
    void onGrant(GrantCommand grant, Reference reference) {
        String holder = Reference.text(grant.getHolder());
        ends.put(holder, reference.shareEnd(Reference.text(grant.getTake().getKey()), holder));
    }

    /** A return has taken effect. */
    void onReturn(ReturnCommand giveBack, Reference reference) {
        String key = Reference.text(giveBack.getKey());
        String holder = Reference.text(giveBack.getHolder());
        long sum = spent.getOrDefault(holder, 0L);
        long left = reference.shareLeft(key, holder);
        Checks.require(
                sum <= left || ends.getOrDefault(holder, 0L) <= reference.clock(),
                "%s has given back what it had spent: %d of %s, and the log has %d for it",
                holder,
                sum,
                key,
                left);
    }
}
