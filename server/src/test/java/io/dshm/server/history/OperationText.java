package io.dshm.server.history;

import io.dshm.proto.Algorithm;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;

/**
 * One operation as a line of text, such as
 *
 * <pre>
 *   3 n1 12.5 13.75 SET reg::1 v17 5000 -> VALUE v17
 *   4 n2 12.7 never INCR count::1 1 0 0 -> UNKNOWN timeout
 * </pre>
 *
 * <p>Client, node, when it was invoked and completed (in milliseconds, exact to the nanosecond), the fields of its action
 * in their order (times to live in milliseconds), and its result. In words, a character that is no printable ASCII, or is
 * a space or {@code %}, stands as {@code %} and four hexadecimal digits; an empty word is a lone {@code %}.
 */
final class OperationText {

    private static final int NANOS_DIGITS = 6;

    private OperationText() {}

    static String write(Operation operation) {
        return operation.client() + " " + word(operation.node()) + " " + millis(operation.invokedNanos()) + " "
                + millis(operation.completedNanos()) + " " + write(operation.action()) + " -> "
                + write(operation.result());
    }

    /** @throws IllegalArgumentException if the line is no operation */
    static Operation read(String line) {
        try {
            List<String> words = Arrays.asList(line.strip().split(" +", -1));
            int arrow = words.indexOf("->");
            return new Operation(
                    Integer.parseInt(words.get(0)),
                    text(words.get(1)),
                    readAction(words.subList(4, arrow)),
                    nanos(words.get(2)),
                    nanos(words.get(3)),
                    readResult(words.subList(arrow + 1, words.size())));
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("not an operation: " + line, e);
        }
    }

    private static String write(Action action) {
        String key = word(action.key());
        if (action instanceof Action.Get get) {
            return "GET " + key + " " + get.mode();
        } else if (action instanceof Action.Set set) {
            return "SET " + key + " " + word(set.value()) + " " + set.ttlMillis();
        } else if (action instanceof Action.Delete) {
            return "DELETE " + key;
        } else if (action instanceof Action.Touch touch) {
            return "TOUCH " + key + " " + touch.ttlMillis();
        } else if (action instanceof Action.Incr incr) {
            return "INCR " + key + " " + incr.by() + " " + incr.init() + " " + incr.initTtlMillis();
        } else if (action instanceof Action.RateLimiter limiter) {
            return "RATE_LIMITER " + key + " " + limiter.capacity() + " " + limiter.durationMillis();
        } else if (action instanceof Action.OfLimit ofLimit) {
            return write(ofLimit);
        } else {
            return "FLUSH " + key;
        }
    }

    private static String write(Action.OfLimit action) {
        String key = word(action.key());
        if (action instanceof Action.Take take) {
            return "TAKE " + numbers(take) + (take.share() ? " SHARE" : "");
        } else if (action instanceof Action.Reserve reserve) {
            return "RESERVE " + numbers(reserve.take()) + " " + word(reserve.hold()) + " " + reserve.ttlMillis();
        } else if (action instanceof Action.Settle settle) {
            return "SETTLE " + key + " " + word(settle.hold()) + " " + settle.cost();
        } else if (action instanceof Action.Grant grant) {
            return "GRANT " + numbers(grant.take()) + " " + word(grant.holder()) + " " + grant.min();
        } else if (action instanceof Action.Return giveBack) {
            return "RETURN " + key + " " + word(giveBack.holder()) + " " + giveBack.unused();
        } else if (action instanceof Action.Acquire acquire) {
            return "ACQUIRE " + key + " " + acquire.limit() + " " + word(acquire.holder()) + " " + acquire.ttlMillis();
        } else if (action instanceof Action.Release release) {
            return "RELEASE " + key + " " + word(release.holder());
        }
        throw new IllegalArgumentException("a history has each take by itself: " + action);
    }

    private static String numbers(Action.Take take) {
        return word(take.key()) + " " + take.algorithm() + " " + take.limit() + " " + take.periodMillis() + " "
                + take.burst() + " " + take.cost();
    }

    private static Action readAction(List<String> words) {
        String key = text(words.get(1));
        return switch (words.get(0)) {
            case "GET" -> new Action.Get(key, Action.ReadMode.valueOf(words.get(2)));
            case "SET" -> new Action.Set(key, text(words.get(2)), Long.parseLong(words.get(3)));
            case "DELETE" -> new Action.Delete(key);
            case "TOUCH" -> new Action.Touch(key, Long.parseLong(words.get(2)));
            case "INCR" ->
                new Action.Incr(
                        key, Long.parseLong(words.get(2)), Long.parseLong(words.get(3)), Long.parseLong(words.get(4)));
            case "RATE_LIMITER" ->
                new Action.RateLimiter(key, Integer.parseInt(words.get(2)), Long.parseLong(words.get(3)));
            case "TAKE" -> take(words, words.size() > 7);
            case "RESERVE" -> new Action.Reserve(take(words, false), text(words.get(7)), Long.parseLong(words.get(8)));
            case "SETTLE" -> new Action.Settle(key, text(words.get(2)), Long.parseLong(words.get(3)));
            case "GRANT" -> new Action.Grant(take(words, false), text(words.get(7)), Long.parseLong(words.get(8)));
            case "RETURN" -> new Action.Return(key, text(words.get(2)), Long.parseLong(words.get(3)));
            case "ACQUIRE" ->
                new Action.Acquire(key, Long.parseLong(words.get(2)), text(words.get(3)), Long.parseLong(words.get(4)));
            case "RELEASE" -> new Action.Release(key, text(words.get(2)));
            case "FLUSH" -> new Action.Flush(key);
            default -> throw new IllegalArgumentException(words.get(0));
        };
    }

    private static Action.Take take(List<String> words, boolean share) {
        return new Action.Take(
                text(words.get(1)),
                Algorithm.valueOf(words.get(2)),
                Long.parseLong(words.get(3)),
                Long.parseLong(words.get(4)),
                Long.parseLong(words.get(5)),
                Long.parseLong(words.get(6)),
                share);
    }

    private static String write(Result result) {
        if (result instanceof Result.Value value) {
            return "VALUE " + word(value.value());
        } else if (result instanceof Result.Done) {
            return "DONE";
        } else if (result instanceof Result.NotFound) {
            return "NOT_FOUND";
        } else if (result instanceof Result.NotApplied refused) {
            return "NOT_APPLIED " + word(refused.code());
        } else {
            return "UNKNOWN " + word(((Result.Unknown) result).why());
        }
    }

    private static Result readResult(List<String> words) {
        return switch (words.get(0)) {
            case "VALUE" -> new Result.Value(text(words.get(1)));
            case "DONE" -> new Result.Done();
            case "NOT_FOUND" -> new Result.NotFound();
            case "NOT_APPLIED" -> new Result.NotApplied(text(words.get(1)));
            case "UNKNOWN" -> new Result.Unknown(text(words.get(1)));
            default -> throw new IllegalArgumentException(words.get(0));
        };
    }

    private static String millis(long nanos) {
        return nanos == Operation.NEVER
                ? "never"
                : BigDecimal.valueOf(nanos, NANOS_DIGITS).stripTrailingZeros().toPlainString();
    }

    private static long nanos(String millis) {
        return millis.equals("never")
                ? Operation.NEVER
                : new BigDecimal(millis).movePointRight(NANOS_DIGITS).longValueExact();
    }

    private static String word(String text) {
        if (text.isEmpty()) {
            return "%";
        }
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c > ' ' && c < 0x7F && c != '%') {
                word.append(c);
            } else {
                word.append(String.format("%%%04x", (int) c));
            }
        }
        return word.toString();
    }

    private static String text(String word) {
        if (word.equals("%")) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            if (word.charAt(i) == '%') {
                text.append((char) Integer.parseInt(word.substring(i + 1, i + 5), 16));
                i += 4;
            } else {
                text.append(word.charAt(i));
            }
        }
        return text.toString();
    }
}
