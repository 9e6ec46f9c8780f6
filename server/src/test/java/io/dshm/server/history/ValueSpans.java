package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong with a key can often be told without a search, and shown with three or four operations: a value with one
 * writer comes once and goes once, so from the end of the first call that wrote or saw it to the begin of the last one,
 * it was there all the time. Nothing else can have been there, or have happened, in that span.
 */
final class ValueSpans {

    /** A value was there from {@code from} to {@code to}, which is what the two calls show. */
    private record Span(String value, Call first, Call last) {
        long from() {
            return first.to();
        }

        long to() {
            return last.from();
        }
    }

    private ValueSpans() {}

    /** What is wrong, or null if this does not tell. */
    static @Nullable Violation check(KeyCalls key) {
        Map<String, Span> spans = new HashMap<>();
        for (Call call : key.certain) {
            String value = call.value();
            if (value != null && key.hasOneWriter(value) && call.kind() != Kind.INCR) {
                spans.merge(value, new Span(value, call, call), ValueSpans::merge);
            }
        }
        List<Span> sorted = new ArrayList<>(spans.values());
        sorted.removeIf(span -> span.from() >= span.to());
        sorted.sort(Comparator.comparingLong(Span::from));
        TreeMap<Long, Span> byBegin = new TreeMap<>();
        Span last = null;
        for (Span span : sorted) {
            if (last != null && span.from() < last.to()) {
                return violation(last, "another value was there", List.of(span.first, span.last));
            }
            byBegin.put(span.from(), span);
            last = span;
        }
        for (Call call : key.certain) {
            Map.Entry<Long, Span> before = byBegin.lowerEntry(call.from());
            if (before != null
                    && call.to() < before.getValue().to()
                    && !before.getValue().value.equals(call.value())
                    && call.kind() != Kind.TOUCH
                    && call.kind() != Kind.OVERFLOW) {
                return violation(before.getValue(), "this happened", List.of(call));
            }
        }
        return null;
    }

    private static Span merge(Span a, Span b) {
        return new Span(
                a.value,
                a.first.to() <= b.first.to() ? a.first : b.first,
                a.last.from() >= b.last.from() ? a.last : b.last);
    }

    private static Violation violation(Span span, String what, List<Call> calls) {
        List<Operation> evidence = new ArrayList<>(List.of(span.first.operation(), span.last.operation()));
        calls.forEach(call -> evidence.add(call.operation()));
        return Violation.of(
                "the value " + span.value
                        + " must have been there from the end of the first operation below to the begin of"
                        + " the second one, but meanwhile " + what,
                evidence.stream().distinct().toList());
    }
}
