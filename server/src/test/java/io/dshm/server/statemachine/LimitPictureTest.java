package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.server.store.limiters.Decision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * The picture of lua/LIMITS.md: what each algorithm admits over time, drawn from what the log applies.
 *
 * <p>The picture that is checked in has to be the one that is drawn. {@code -Dlimits.picture=write} writes it.
 */
class LimitPictureTest {

    private static final Path PICTURE = Path.of("..", "lua", "limits.svg");

    private static final long LIMIT = 10;
    private static final long PERIOD_MILLIS = 10_000;
    /** The client begins late in a window, asks four times a second, and is silent for a while in between. */
    private static final long FIRST_MILLIS = 7_000;

    private static final long SILENT_FROM_MILLIS = 34_000;
    private static final long SILENT_UNTIL_MILLIS = 43_000;
    private static final long LAST_MILLIS = 50_000;
    private static final long STEP_MILLIS = 250;

    private static final int LEFT = 90;
    private static final int WIDTH = 600;
    private static final int ROW = 44;

    /** A request: when it came, and when it went on; negative if it was refused. */
    private record Request(long atMillis, long onMillis) {
        boolean isAdmitted() {
            return onMillis >= 0;
        }
    }

    private static List<Request> requests(LimitAlgorithm algorithm) {
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        Log log = new Log();
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
        // to the beginning of a window
        long begin = (log.nowMillis() / PERIOD_MILLIS + 1) * PERIOD_MILLIS;
        List<Request> requests = new ArrayList<>();
        for (long at = FIRST_MILLIS; at <= LAST_MILLIS; at += STEP_MILLIS) {
            if (at >= SILENT_FROM_MILLIS && at < SILENT_UNTIL_MILLIS) {
                continue;
            }
            log.passSeconds((begin + at - log.nowMillis()) / 1000.0);
            CommandRecord.Builder take = Log.take("picture", algorithm, LIMIT, PERIOD_MILLIS, 1);
            Decision decision =
                    Objects.requireNonNull(log.run(stateMachine, take).decision());
            requests.add(new Request(at, decision.allowed() ? at + Math.max(decision.delayMillis(), 0) : -1));
        }
        return requests;
    }

    /** The most that went on within a period, wherever it begins. */
    private static long mostInAPeriod(List<Request> requests) {
        long most = 0;
        for (Request first : requests) {
            long from = first.onMillis();
            most = Math.max(
                    most,
                    requests.stream()
                            .filter(Request::isAdmitted)
                            .filter(request -> request.onMillis() >= from && request.onMillis() < from + PERIOD_MILLIS)
                            .count());
        }
        return most;
    }

    private static double x(long millis) {
        return LEFT + (double) WIDTH * millis / LAST_MILLIS;
    }

    private static String line(String kind, long millis, int from, int to) {
        return String.format(
                Locale.ROOT,
                "<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n",
                kind,
                x(millis),
                from,
                x(millis),
                to);
    }

    private static String text(double x, int y, String text) {
        return String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", x, y, text);
    }

    private static String row(LimitAlgorithm algorithm, int top) {
        List<Request> requests = requests(algorithm);
        StringBuilder row = new StringBuilder(text(8, top + 24, algorithm.name().toLowerCase(Locale.ROOT)));
        for (Request request : requests) {
            if (request.onMillis() > LAST_MILLIS) {
                continue;
            }
            if (request.isAdmitted()) {
                row.append(line("admitted", request.onMillis(), top + 6, top + 30));
            } else {
                row.append(line("refused", request.atMillis(), top + 24, top + 30));
            }
        }
        return row.append(text(LEFT + WIDTH + 16, top + 24, "" + mostInAPeriod(requests)))
                .toString();
    }

    private static String picture() {
        List<LimitAlgorithm> algorithms = List.of(
                LimitAlgorithm.FIXED,
                LimitAlgorithm.LOG,
                LimitAlgorithm.COUNTER,
                LimitAlgorithm.GCRA,
                LimitAlgorithm.LEAKY);
        int bottom = 40 + ROW * algorithms.size();
        StringBuilder svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\">\n"
                        + "<style>text{font:13px sans-serif;fill:#333}.admitted{stroke:#0a7d33;stroke-width:2}"
                        + ".refused{stroke:#c33;stroke-width:1.5}.window{stroke:#bbb;stroke-dasharray:3 3}</style>\n"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                LEFT + WIDTH + 130,
                bottom + 30));
        svg.append(text(8, 24, "limit 10, period 10 s"));
        svg.append(text(LEFT + WIDTH + 16, 24, "most in any 10 s"));
        for (long window = 0; window <= LAST_MILLIS; window += PERIOD_MILLIS) {
            svg.append(line("window", window, 34, bottom));
            svg.append(text(x(window) - 10, bottom + 18, window / 1000 + " s"));
        }
        for (int i = 0; i < algorithms.size(); i++) {
            svg.append(row(algorithms.get(i), 40 + ROW * i));
        }
        return svg.append("</svg>\n").toString();
    }

    @Test
    void the_picture_shows_what_the_code_admits() throws IOException {
        String drawn = picture();
        if ("write".equals(System.getProperty("limits.picture"))) {
            Files.writeString(PICTURE, drawn);
        }
        assertEquals(drawn, Files.readString(PICTURE), "draw it again: -Dlimits.picture=write");
    }
}
