package io.dshm.client.cli;

import io.dshm.client.internal.Endpoint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code dshm top}: what all nodes are doing, from {@code /status}, again and again. */
final class Top {

    private static final List<String> HEADINGS =
            List.of("NODE", "ADDRESS", "ROLE", "TERM", "LOG/S", "LAG", "CLIENTS", "ENTRIES", "+/S", "MEMORY", "STATE");

    private static final String CLEAR = "\u001b[H\u001b[2J";
    private static final long INTERVAL_MILLIS = 1000;
    private static final long MEBIBYTE = 1024 * 1024;

    private Top() {}

    /** What a node said, and when. */
    record Sample(StatusTable.Node node, long nanos) {

        /** By how much a field has grown in a second; null if that is not known. */
        @Nullable
        Double rate(@Nullable Sample earlier, String field) {
            Long now = StatusTable.number(node.fields(), field);
            Long before = earlier == null ? null : StatusTable.number(earlier.node.fields(), field);
            return now == null || before == null || earlier == null || nanos <= earlier.nanos
                    ? null
                    : (now - before) * 1e9 / (nanos - earlier.nanos);
        }
    }

    /** Shows tables until it is ended, or as many as asked for. */
    static ExitCode run(Arguments arguments, Session session) throws CliException {
        long interval = Math.max(1, arguments.millis("--interval", INTERVAL_MILLIS));
        long count = arguments.count("--count", Long.MAX_VALUE, Long.MAX_VALUE);
        Map<Endpoint, Sample> earlier = new HashMap<>();
        for (long shown = 0; shown < count && !session.output().out().checkError(); shown++) {
            if (shown > 0) {
                sleep(interval);
            }
            List<Sample> samples = StatusTable.ask(session).stream()
                    .map(node -> new Sample(node, System.nanoTime()))
                    .toList();
            show(samples, earlier, session.output());
            samples.forEach(sample -> earlier.put(sample.node.address(), sample));
        }
        return ExitCode.OK;
    }

    private static void sleep(long millis) throws CliException {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.OK, "interrupted", "interrupted");
        }
    }

    private static void show(List<Sample> samples, Map<Endpoint, Sample> earlier, Output output) {
        if (output.isJson()) {
            output.object(Map.of(
                    "nodes",
                    samples.stream()
                            .map(sample -> StatusTable.json(sample.node))
                            .toList()));
        } else {
            if (output.isTerminal()) {
                output.bytes(CLEAR.getBytes(StandardCharsets.US_ASCII));
            }
            lines(samples, earlier).forEach(output::line);
            output.line("");
        }
        output.flush();
    }

    /** The table; rates since the earlier samples. */
    static List<String> lines(List<Sample> samples, Map<Endpoint, Sample> earlier) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (Sample sample : samples) {
            StatusTable.Node node = sample.node;
            Sample before = earlier.get(node.address());
            Long bytes = StatusTable.number(node.fields(), "stateBytes");
            rows.add(List.of(
                    node.field("node"),
                    node.address().toString(),
                    node.role(),
                    node.field("term"),
                    rate(sample.rate(before, "appliedIndex")),
                    node.lag(),
                    node.field("connections"),
                    node.field("entries"),
                    rate(sample.rate(before, "entries")),
                    bytes == null ? "-" : bytes / MEBIBYTE + " MiB",
                    node.state()));
        }
        List<String> lines = new ArrayList<>(StatusTable.aligned(rows));
        lines.add("LOG/S: log entries applied in a second; commands that come together share one.");
        lines.add("The nodes do not say which regions are busy.");
        return lines;
    }

    private static String rate(@Nullable Double perSecond) {
        return perSecond == null ? "-" : String.format(Locale.ROOT, "%.0f", perSecond);
    }
}
