package io.dshm.server.simulation;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** The last things that happened, put into words only when somebody wants to read them. */
final class Trace {

    private static final int LINES_MAX = 300;

    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    private record Line(
            long atNanos, String format, @Nullable Object[] arguments) {}

    private final Events events;
    private final ArrayDeque<Line> lines = new ArrayDeque<>();

    Trace(Events events) {
        this.events = events;
    }

    /** Notes what happened now; arguments are as in {@link String#format}, and do not change afterwards. */
    @FormatMethod
    void note(@FormatString String format, @Nullable Object... arguments) {
        if (lines.size() == LINES_MAX) {
            lines.remove();
        }
        lines.add(new Line(events.nowNanos(), format, arguments));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Line line : lines) {
            text.append(String.format("%10.3f ms  ", line.atNanos / 1e6))
                    .append(String.format(line.format, line.arguments))
                    .append('\n');
        }
        return text.toString();
    }
}
