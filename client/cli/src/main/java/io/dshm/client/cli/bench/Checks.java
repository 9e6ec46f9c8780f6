package io.dshm.client.cli.bench;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What one worker checks: which key a request is for, what it writes, and what its reply may say. */
final class Checks {

    /** What all workers share. */
    static final class Shared {
        final LongAdder increments = new LongAdder();
        final LongAdder swaps = new LongAdder();
        final AtomicLongArray pushes;

        Shared(int workers) {
            pushes = new AtomicLongArray(workers);
        }
    }

    final Violations violations = new Violations();
    final @Nullable ValueCheck values;
    final @Nullable CounterCheck counters;
    final @Nullable CounterCheck swaps;
    final @Nullable LimitCheck limits;
    final @Nullable ListCheck lists;
    final int @Nullable [] added;

    private final Plan plan;
    private final int worker;

    Checks(Plan plan, int worker, int endpoints, Shared shared) {
        this.plan = plan;
        this.worker = worker;
        Mix mix = plan.mix();
        int keys = plan.keys();
        values = mix.has(Op.GET) || mix.has(Op.SET) || mix.has(Op.DELETE)
                ? new ValueCheck(
                        worker, plan.threads(), plan.keysOf(worker), plan.isLinearizable() ? 1 : endpoints, violations)
                : null;
        counters = mix.has(Op.INCR) ? new CounterCheck(Op.INCR, keys, shared.increments, violations) : null;
        swaps = mix.has(Op.CAS) ? new CounterCheck(Op.CAS, keys, shared.swaps, violations) : null;
        limits = mix.has(Op.TAKE) ? new LimitCheck(keys) : null;
        lists = mix.has(Op.PUSH) || mix.has(Op.POP) ? new ListCheck(worker, shared.pushes, violations) : null;
        added = mix.has(Op.ADD) ? new int[keys] : null;
    }

    /** The next key for a word. Values belong to one worker each, all else to all. */
    int key(Op op, SplittableRandom random) {
        return op.space == Op.SET.space
                ? plan.distribution().next(random, plan.keysOf(worker)) * plan.threads() + worker
                : plan.distribution().next(random, plan.keys());
    }

    /** Before a request is sent: completes it. */
    void sending(Flight flight, Request request) {
        switch (flight.op) {
            case GET -> there(values).reading(flight);
            case SET, DELETE -> {
                there(values).writing(flight);
                request.tag = ValueCheck.tag(flight.key, flight.number);
            }
            case INCR -> there(counters).sending(flight);
            case CAS -> {
                if (flight.stores) {
                    there(swaps).sending(flight);
                }
            }
            case PUSH -> {
                ListCheck check = there(lists);
                check.pushing(flight);
                request.tag = check.tag(flight);
            }
            case ADD, TAKE, POP, TOUCH, PING -> {}
        }
    }

    /** After its reply. */
    void replied(Flight flight, Reply reply, long now) {
        switch (flight.op) {
            case GET -> there(values).read(flight, reply);
            case SET, DELETE -> there(values).written(flight, reply.outcome);
            case INCR -> there(counters).replied(flight, reply.outcome, reply.asNumber());
            case CAS -> {
                if (flight.stores) {
                    there(swaps).replied(flight, reply.outcome, flight.number);
                }
            }
            case TAKE -> {
                if (reply.outcome == Reply.Outcome.OK) {
                    there(limits).admitted(flight, now);
                }
            }
            case PUSH -> there(lists).pushed(flight, reply.outcome);
            case POP -> there(lists).popped(flight, reply);
            case ADD -> {
                if (reply.outcome == Reply.Outcome.OK) {
                    there(added)[flight.key]++;
                }
            }
            case TOUCH, PING -> {}
        }
    }

    static <T> T there(@Nullable T check) {
        if (check == null) {
            throw new IllegalStateException("a word that is not in the mix");
        }
        return check;
    }

    /** One check of all workers. */
    static <T> List<T> each(List<Checks> all, Function<Checks, @Nullable T> check) {
        return all.stream().map(checks -> there(check.apply(checks))).toList();
    }
}
