package io.dshm.client.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/** What one worker has pushed to lists and popped from them. The elements of each worker are numbered. */
final class ListCheck {

    private final int worker;
    private final AtomicLongArray sent;
    private final Violations violations;
    private final Bits pushed = new Bits();
    private final List<Bits> popped = new ArrayList<>();
    private long unknownPops;

    /** @param sent elements that each worker has sent */
    ListCheck(int worker, AtomicLongArray sent, Violations violations) {
        this.worker = worker;
        this.sent = sent;
        this.violations = violations;
        for (int i = 0; i < sent.length(); i++) {
            popped.add(new Bits());
        }
    }

    /** What the next element says; before it is sent. */
    void pushing(Flight flight) {
        flight.number = sent.incrementAndGet(worker);
    }

    long tag(Flight flight) {
        return flight.number * sent.length() + worker;
    }

    /** After the reply to a push. */
    void pushed(Flight flight, Reply.Outcome outcome) {
        if (outcome == Reply.Outcome.OK) {
            pushed.add(flight.number);
        }
    }

    /** After the reply to a pop. */
    void popped(Flight flight, Reply reply) {
        if (reply.outcome == Reply.Outcome.UNKNOWN) {
            unknownPops++;
        }
        if (reply.outcome != Reply.Outcome.OK) {
            return;
        }
        long tag = reply.tag();
        int from = Math.floorMod(tag, sent.length());
        long number = tag / sent.length();
        if (tag < 0 || number < 1 || number > sent.get(from)) {
            say("pop of key " + flight.key + ": an element that nobody has pushed");
        } else if (!popped.get(from).add(number)) {
            say("pop of key " + flight.key + ": an element came twice");
        }
    }

    private void say(String what) {
        violations.add(Violations.Kind.LISTS, what);
    }

    /** After all lists have been emptied: what all workers have pushed and popped. */
    static void verify(List<ListCheck> checks, Violations violations) {
        long unknownPops = checks.stream().mapToLong(check -> check.unknownPops).sum();
        long lost = 0;
        for (ListCheck pusher : checks) {
            Bits all = new Bits();
            long twice = 0;
            for (ListCheck popper : checks) {
                twice += all.addAll(popper.popped.get(pusher.worker));
            }
            if (twice > 0) {
                violations.add(Violations.Kind.LISTS, twice, "pop: " + twice + " elements came twice, to two threads");
            }
            lost += pusher.pushed.without(all);
        }
        if (lost > unknownPops) {
            violations.add(
                    Violations.Kind.LISTS,
                    lost - unknownPops,
                    "push: " + lost + " elements were acknowledged and never came out"
                            + (unknownPops > 0 ? ", and the outcome of " + unknownPops + " pops is unknown" : ""));
        }
    }
}
