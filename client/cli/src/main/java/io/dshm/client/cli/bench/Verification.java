package io.dshm.client.cli.bench;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Looks, after the load, at what has come of it, and removes it. */
final class Verification {

    private static final int POP_ROUNDS_MAX = 10_000_000;

    private final Plan plan;
    private final Bulk bulk;
    private final List<Checks> checks;
    private final Violations violations;

    Verification(Plan plan, Bulk bulk, List<Checks> checks, Violations violations) {
        this.plan = plan;
        this.bulk = bulk;
        this.checks = checks;
        this.violations = violations;
    }

    /** What is checked with this mix. */
    Set<Violations.Kind> checked() {
        Mix mix = plan.mix();
        Set<Violations.Kind> kinds = EnumSet.noneOf(Violations.Kind.class);
        if (mix.has(Op.INCR) || mix.has(Op.CAS)) {
            kinds.add(Violations.Kind.COUNTS);
        }
        if (mix.has(Op.TAKE)) {
            kinds.add(Violations.Kind.LIMITS);
        }
        if (mix.has(Op.GET) || mix.has(Op.SET) || mix.has(Op.DELETE)) {
            kinds.add(Violations.Kind.READS);
        }
        if (mix.has(Op.PUSH) || mix.has(Op.POP)) {
            kinds.add(Violations.Kind.LISTS);
        }
        if (mix.has(Op.ADD)) {
            kinds.add(Violations.Kind.ADDS);
        }
        return kinds;
    }

    /** Empty if all could be looked at; otherwise what went wrong. */
    String run() {
        try {
            if (plan.mix().has(Op.INCR)) {
                counters(Op.INCR, Checks.each(checks, each -> each.counters));
            }
            if (plan.mix().has(Op.CAS)) {
                counters(Op.CAS, Checks.each(checks, each -> each.swaps));
            }
            if (plan.mix().has(Op.TAKE)) {
                List<LimitCheck> limits = Checks.each(checks, each -> each.limits);
                for (int key = 0; key < plan.keys(); key++) {
                    LimitCheck.verify(limits, key, plan.limit(), violations);
                }
                remove(Op.TAKE);
            }
            if (checked().contains(Violations.Kind.READS) || plan.mix().has(Op.TOUCH)) {
                values();
                remove(Op.SET);
            }
            if (checked().contains(Violations.Kind.LISTS)) {
                lists();
            }
            if (plan.mix().has(Op.ADD)) {
                added();
                remove(Op.ADD);
            }
            return "";
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** A request for each key, of the kind of a word. */
    private interface Each {
        void replied(int key, Reply reply);
    }

    private void get(Op space, Each each) throws IOException {
        forEachKey(Op.GET, space, each);
    }

    private void remove(Op space) throws IOException {
        forEachKey(Op.DELETE, space, (key, reply) -> {});
    }

    private void forEachKey(Op op, Op space, Each each) throws IOException {
        bulk.run(plan.keys(), new Bulk.Job() {
            @Override
            public boolean prepare(Request request, int number) {
                request.op = op;
                request.space = space.space;
                request.key = number;
                return true;
            }

            @Override
            public void replied(int number, Reply reply) {
                each.replied(number, reply);
            }
        });
    }

    private void counters(Op op, List<CounterCheck> counters) throws IOException {
        get(op, (key, reply) -> {
            long last = reply.outcome == Reply.Outcome.MISS ? 0 : reply.asNumber();
            CounterCheck.verify(counters, key, last, violations);
        });
        remove(op);
    }

    private void values() throws IOException {
        if (checks.get(0).values == null) {
            return;
        }
        List<ValueCheck> all = Checks.each(checks, each -> each.values);
        Flight flight = new Flight();
        get(Op.SET, (key, reply) -> {
            ValueCheck check = all.get(key % all.size());
            flight.op = Op.GET;
            flight.key = key;
            check.readingLast(flight);
            check.read(flight, reply);
        });
    }

    private void lists() throws IOException {
        List<ListCheck> all = Checks.each(checks, each -> each.lists);
        boolean[] empty = new boolean[plan.keys()];
        int[] left = {plan.keys()};
        Flight flight = new Flight();
        for (int round = 0; left[0] > 0 && round < POP_ROUNDS_MAX; round++) {
            bulk.run(plan.keys(), new Bulk.Job() {
                @Override
                public boolean prepare(Request request, int number) {
                    request.op = Op.POP;
                    request.space = Op.POP.space;
                    request.key = number;
                    return !empty[number];
                }

                @Override
                public void replied(int number, Reply reply) {
                    if (reply.outcome == Reply.Outcome.MISS) {
                        empty[number] = true;
                        left[0]--;
                    }
                    flight.key = number;
                    all.get(0).popped(flight, reply);
                }
            });
        }
        ListCheck.verify(all, violations);
    }

    private void added() {
        for (int key = 0; key < plan.keys(); key++) {
            int sum = 0;
            for (Checks each : checks) {
                sum += Checks.there(each.added)[key];
            }
            if (sum > 1) {
                violations.add(
                        Violations.Kind.ADDS,
                        sum - 1L,
                        "add of key " + key + ": " + sum + " succeeded, and nobody deleted it");
            }
        }
    }
}
