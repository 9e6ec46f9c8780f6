package io.dshm.client.cli.bench;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Which words the load consists of, and in which proportion. */
public final class Mix {

    private static final int WEIGHT_MAX = 1_000_000;

    private final Op[] ops;
    private final int[] upTo;

    private Mix(Map<Op, Integer> weights) {
        ops = weights.keySet().toArray(new Op[0]);
        upTo = new int[ops.length];
        int sum = 0;
        for (int i = 0; i < ops.length; i++) {
            sum += weights.getOrDefault(ops[i], 0);
            upTo[i] = sum;
        }
    }

    /**
     * Reads {@code get=80,incr=15,take=5}; a word without a number counts once.
     *
     * @throws IllegalArgumentException if it is none, with a message for the user
     */
    public static Mix parse(String text) {
        Map<Op, Integer> weights = new EnumMap<>(Op.class);
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String word = (equals < 0 ? part : part.substring(0, equals)).strip();
            String number = equals < 0 ? "1" : part.substring(equals + 1).strip();
            Op op = named(word);
            if (op == null) {
                throw new IllegalArgumentException("--mix has no word '" + word + "'; the words are "
                        + Arrays.stream(Op.values()).map(Op::word).collect(Collectors.joining(", ")));
            }
            if (!number.matches("[0-9]{1,7}")
                    || Integer.parseInt(number) < 1
                    || Integer.parseInt(number) > WEIGHT_MAX) {
                throw new IllegalArgumentException("--mix: the weight of " + word + " is 1 to " + WEIGHT_MAX + ", not '"
                        + number + "'; for example get=80,incr=15,take=5");
            }
            if (weights.put(op, Integer.parseInt(number)) != null) {
                throw new IllegalArgumentException("--mix names " + word + " twice");
            }
        }
        return new Mix(weights);
    }

    private static @Nullable Op named(String word) {
        for (Op op : Op.values()) {
            if (op.word().equals(word)) {
                return op;
            }
        }
        return null;
    }

    /** The words that have a part in it. */
    Set<Op> ops() {
        return Set.of(ops);
    }

    boolean has(Op op) {
        for (Op each : ops) {
            if (each == op) {
                return true;
            }
        }
        return false;
    }

    /** The next word. */
    Op next(SplittableRandom random) {
        if (ops.length == 1) {
            return ops[0];
        }
        int at = random.nextInt(upTo[upTo.length - 1]);
        int i = 0;
        while (at >= upTo[i]) {
            i++;
        }
        return ops[i];
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ops.length; i++) {
            text.append(i == 0 ? "" : ",")
                    .append(ops[i].word())
                    .append('=')
                    .append(upTo[i] - (i == 0 ? 0 : upTo[i - 1]));
        }
        return text.toString();
    }
}
