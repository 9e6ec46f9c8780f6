package io.dshm.server.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Histories of one key as a correct store makes them: clients send, each operation takes effect at one instant, exact times
 * to live, and the replies come some time later, or never. All times are random.
 */
final class SimulatedStore {

    static final String KEY = "r:k";
    private static final long MILLI = 1_000_000;

    /**
     * What a history is made of.
     *
     * @param actions which kinds of operations: letters of "GSDTIF" (GET, SET, DELETE, TOUCH, INCR, FLUSHALL), as often as
     *     they are to occur
     * @param unknownPercent how many lose their reply
     * @param ttlMillisMax times to live are from 1 to this, or none if it is 0
     * @param pipelined how many operations a client has under way at most
     */
    record Mix(String actions, int clients, int operations, int unknownPercent, int ttlMillisMax, int pipelined) {}

    /** An operation before its result is known. An effect at {@link Operation#NEVER} does not happen. */
    private record Sent(int client, Action action, long invoked, long effect, long completed) {}

    private final Mix mix;
    private final Random random;
    private int lastValue;

    private @Nullable String value;
    private long expires = Operation.NEVER;

    private SimulatedStore(Mix mix, Random random) {
        this.mix = mix;
        this.random = random;
    }

    /** A random history, in the order of invocation. */
    static List<Operation> history(Mix mix, Random random) {
        return new SimulatedStore(mix, random).history();
    }

    private List<Operation> history() {
        List<Sent> all = new ArrayList<>();
        for (int client = 0; client < mix.clients; client++) {
            send(client, mix.operations / mix.clients, all);
        }
        all.sort(Comparator.comparingLong(Sent::effect));
        List<Operation> operations = new ArrayList<>();
        for (Sent sent : all) {
            Result result = sent.effect == Operation.NEVER ? new Result.Unknown("never") : apply(sent);
            if (sent.completed == Operation.NEVER) {
                result = new Result.Unknown(sent.effect == Operation.NEVER ? "never" : "late");
            }
            operations.add(new Operation(
                    sent.client, "n" + sent.client % 3, sent.action, sent.invoked, sent.completed, result));
        }
        operations.sort(Comparator.comparingLong(Operation::invokedNanos));
        return operations;
    }

    private void send(int client, int count, List<Sent> all) {
        long lastInvoked = random.nextInt(1000);
        long lastEffect = 0;
        List<Long> completions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long free = completions.size() < mix.pipelined ? 0 : completions.get(completions.size() - mix.pipelined);
            long invoked = Math.max(lastInvoked, free) + 1 + delay() / 4;
            long effect = Math.max(invoked, lastEffect) + 1 + delay();
            long completed =
                    Math.max(effect, completions.isEmpty() ? 0 : completions.get(completions.size() - 1)) + 1 + delay();
            Action action = action();
            completions.add(completed);
            lastInvoked = invoked;
            if (random.nextInt(100) < mix.unknownPercent) {
                boolean never = random.nextBoolean();
                long late = invoked + 1 + delay() * random.nextInt(20);
                all.add(new Sent(client, action, invoked, never ? Operation.NEVER : late, Operation.NEVER));
            } else {
                lastEffect = effect;
                all.add(new Sent(client, action, invoked, effect, completed));
            }
        }
    }

    private long delay() {
        return (long) (MILLI * Math.min(20, -Math.log(1 - random.nextDouble())));
    }

    private Action action() {
        char kind = mix.actions.charAt(random.nextInt(mix.actions.length()));
        return switch (kind) {
            case 'G' -> new Action.Get(KEY, Action.ReadMode.LINEARIZABLE);
            case 'S' -> new Action.Set(KEY, "v" + ++lastValue, ttl());
            case 'N' -> new Action.Set(KEY, Integer.toString(10 * ++lastValue), ttl());
            case 'D' -> new Action.Delete(KEY);
            case 'T' -> new Action.Touch(KEY, ttl());
            case 'I' -> new Action.Incr(KEY, 1 + random.nextInt(2), random.nextInt(2), ttl());
            case 'J' -> new Action.Incr(KEY, 1, 0, mix.ttlMillisMax);
            case 'F' -> new Action.Flush("r");
            default -> throw new IllegalArgumentException(mix.actions);
        };
    }

    private long ttl() {
        return mix.ttlMillisMax == 0 || random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(mix.ttlMillisMax);
    }

    private Result apply(Sent sent) {
        if (sent.effect >= expires) {
            put(null, 0, sent.effect);
        }
        if (sent.action instanceof Action.Set set) {
            put(set.value(), set.ttlMillis(), sent.effect);
            return new Result.Value(set.value());
        } else if (sent.action instanceof Action.Delete || sent.action instanceof Action.Flush) {
            put(null, 0, sent.effect);
            return new Result.Done();
        } else if (sent.action instanceof Action.Touch touch) {
            if (value != null) {
                put(value, touch.ttlMillis(), sent.effect);
            }
            return new Result.Done();
        } else if (sent.action instanceof Action.Incr incr) {
            return incr(incr, sent.effect);
        }
        return value == null ? new Result.NotFound() : new Result.Value(value);
    }

    private Result incr(Action.Incr incr, long now) {
        String old = value;
        if (old == null) {
            String first = Long.toString(incr.init() + incr.by());
            put(first, incr.initTtlMillis(), now);
            return new Result.Value(first);
        }
        if (old.matches("[0-9]+")) {
            value = Long.toString(Long.parseLong(old) + incr.by());
            return new Result.Value(value);
        }
        return new Result.Value(old);
    }

    private void put(@Nullable String newValue, long ttlMillis, long now) {
        value = newValue;
        expires = ttlMillis == 0 ? Operation.NEVER : now + ttlMillis * MILLI;
    }
}
