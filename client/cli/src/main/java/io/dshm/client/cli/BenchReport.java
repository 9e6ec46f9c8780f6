package io.dshm.client.cli;

import io.dshm.client.cli.bench.Plan;
import io.dshm.client.cli.bench.Result;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/** What {@code dshm bench} shows. */
final class BenchReport {

    private static final List<String> HEADINGS = List.of("", "REQUESTS", "P50", "P90", "P99", "P99.9", "P99.99", "MAX");
    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99, 100};

    /** What is compared; times in milliseconds. */
    private static final Map<String, ToDoubleFunction<Result>> FIGURES = figures();

    private BenchReport() {}

    private static Map<String, ToDoubleFunction<Result>> figures() {
        Map<String, ToDoubleFunction<Result>> figures = new LinkedHashMap<>();
        figures.put("perSecond", Result::perSecond);
        figures.put("p50", result -> Result.millis(result.all(), 50));
        figures.put("p99", result -> Result.millis(result.all(), 99));
        figures.put("p99.9", result -> Result.millis(result.all(), 99.9));
        figures.put("cores", result -> result.cpuSeconds() / result.seconds());
        return figures;
    }

    /** A line a second, for people at a terminal. */
    static void live(Output output, Result.Second second) {
        output.aside(format(
                "%5.0f s  %,10.0f req/s  p50 %8.2f ms  p99 %8.2f ms  max %8.2f ms  errors %d  violations %d%s",
                Math.floor(second.at()),
                second.perSecond(),
                second.p50Millis(),
                second.p99Millis(),
                second.maxMillis(),
                second.errors(),
                second.violations(),
                second.at() <= 0 ? "  (warm-up)" : ""));
    }

    /** The runs in full, then the medians if there is more than one. */
    static void show(Output output, Plan plan, BenchTurns turns) {
        if (!output.isJson()) {
            lines(plan, turns).forEach(output::line);
            return;
        }
        turns.all().forEach(result -> output.object(json(plan, result)));
        if (turns.all().size() > 1) {
            Map<String, Object> members = new LinkedHashMap<>();
            for (int target = 0; target < turns.results().size(); target++) {
                members.put(name(turns, target), medians(turns, target));
            }
            if (turns.results().size() > 1) {
                Map<String, Object> ratios = new LinkedHashMap<>();
                FIGURES.forEach((name, figure) -> ratios.put(name, rounded(ratio(turns, figure))));
                members.put("ratios", ratios);
            }
            output.object(Map.of("medians", members));
        }
    }

    private static String name(BenchTurns turns, int target) {
        return turns.results().get(target).get(0).target();
    }

    private static Map<String, Object> medians(BenchTurns turns, int target) {
        Map<String, Object> members = new LinkedHashMap<>();
        FIGURES.forEach((name, figure) -> members.put(name, rounded(turns.median(target, figure))));
        return members;
    }

    /** What the first target has for each of the second. */
    private static double ratio(BenchTurns turns, ToDoubleFunction<Result> figure) {
        double other = turns.median(1, figure);
        return other == 0 ? 0 : turns.median(0, figure) / other;
    }

    /** As text. */
    static List<String> lines(Plan plan, BenchTurns turns) {
        List<String> lines = new ArrayList<>();
        for (Result result : turns.middle()) {
            lines.addAll(lines(plan, result));
            lines.add("");
        }
        for (Result result : turns.all()) {
            if (result.violationCount() > 0 && !turns.middle().contains(result)) {
                lines.add("in another round of " + result.target() + ": violations: " + words(result.violations()));
                result.texts().forEach(text -> lines.add("  " + text));
            }
        }
        if (turns.all().size() > 1) {
            List<List<String>> rows = new ArrayList<>();
            List<String> headings = new ArrayList<>(List.of("MEDIANS"));
            FIGURES.keySet().forEach(headings::add);
            rows.add(headings);
            for (int target = 0; target < turns.results().size(); target++) {
                List<String> row = new ArrayList<>(List.of(name(turns, target)));
                for (ToDoubleFunction<Result> figure : FIGURES.values()) {
                    row.add(format("%,.2f", turns.median(target, figure)));
                }
                rows.add(row);
            }
            if (turns.results().size() > 1) {
                List<String> row = new ArrayList<>(List.of("ratio"));
                FIGURES.values().forEach(figure -> row.add(format("%.2f", ratio(turns, figure))));
                rows.add(row);
            }
            lines.addAll(StatusTable.aligned(rows));
        } else {
            lines.remove(lines.size() - 1);
        }
        return lines;
    }

    private static List<String> lines(Plan plan, Result result) {
        List<String> lines = new ArrayList<>();
        lines.add(format(
                "%s: %,.0f requests a second for %.1f s, %s",
                result.target(), result.perSecond(), result.seconds(), loop(plan)));
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        result.latencies().forEach((word, histogram) -> rows.add(row(word, histogram)));
        if (result.latencies().size() > 1) {
            rows.add(row("all", result.all()));
        }
        lines.addAll(StatusTable.aligned(rows));
        if (plan.rate() > 0) {
            lines.add(format(
                    "latencies count from when a request was due; it was sent %.2f ms later at p99, %.2f ms at most",
                    Result.millis(result.lateness(), 99), Result.millis(result.lateness(), 100)));
        }
        if (result.neverSent() > 0) {
            lines.add(format("%,d requests were due and found no room up to the end", result.neverSent()));
        }
        lines.add("replies: " + words(result.outcomes())
                + (result.breaks() > 0 ? format("; %,d connections broke", result.breaks()) : ""));
        result.errors().forEach((text, count) -> lines.add(format("%,d times: %s", count, text)));
        lines.add(format("generator: %.2f cores", result.cpuSeconds() / result.seconds()));
        lines.add("violations: " + (result.violations().isEmpty() ? "nothing to check" : words(result.violations())));
        result.texts().forEach(text -> lines.add("  " + text));
        if (!result.unchecked().isEmpty()) {
            lines.add("not all could be checked: " + result.unchecked());
        }
        return lines;
    }

    private static String loop(Plan plan) {
        return plan.rate() > 0
                ? format("open loop of %,.0f a second", plan.rate())
                : format("closed loop of %d connections with %d at once", plan.connections(), plan.pipeline());
    }

    private static List<String> row(String word, Histogram histogram) {
        List<String> row = new ArrayList<>();
        row.add(word);
        row.add(format("%,d", histogram.getTotalCount()));
        for (double percentile : PERCENTILES) {
            row.add(format("%.2f ms", Result.millis(histogram, percentile)));
        }
        return row;
    }

    private static String words(Map<String, Long> counts) {
        List<String> words = new ArrayList<>();
        counts.forEach((word, count) -> words.add(format("%s %,d", word, count)));
        return String.join(", ", words);
    }

    /** All of it, for scripts; times in milliseconds. */
    static Map<String, Object> json(Plan plan, Result result) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("target", result.target());
        members.put("mix", plan.mix().toString());
        members.put("loop", plan.rate() > 0 ? "open" : "closed");
        members.put("rate", plan.rate());
        members.put("connections", plan.connections());
        members.put("pipeline", plan.pipeline());
        members.put("threads", plan.threads());
        members.put("keys", plan.keys());
        members.put("distribution", plan.distribution().toString());
        members.put("seed", plan.seed());
        members.put("seconds", rounded(result.seconds()));
        members.put("requests", result.requests());
        members.put("perSecond", rounded(result.perSecond()));
        Map<String, Object> latencies = new LinkedHashMap<>();
        result.latencies().forEach((word, histogram) -> latencies.put(word, latency(histogram)));
        members.put("latency", latency(result.all()));
        members.put("latencyOf", latencies);
        if (plan.rate() > 0) {
            members.put("lateness", latency(result.lateness()));
        }
        members.put("neverSent", result.neverSent());
        members.put("replies", result.outcomes());
        members.put("breaks", result.breaks());
        members.put("errors", result.errors());
        members.put("cores", rounded(result.cpuSeconds() / result.seconds()));
        members.put("violations", result.violations());
        members.put("violationTexts", result.texts());
        members.put("unchecked", result.unchecked());
        members.put("series", result.series().stream().map(BenchReport::json).toList());
        return members;
    }

    private static Map<String, Object> latency(Histogram histogram) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("count", histogram.getTotalCount());
        for (double percentile : PERCENTILES) {
            String name =
                    percentile == 100 ? "max" : "p" + format("%s", percentile).replaceFirst("\\.0$", "");
            members.put(name, rounded(Result.millis(histogram, percentile)));
        }
        return members;
    }

    private static Map<String, Object> json(Result.Second second) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("at", rounded(second.at()));
        members.put("perSecond", rounded(second.perSecond()));
        members.put("p50", rounded(second.p50Millis()));
        members.put("p99", rounded(second.p99Millis()));
        members.put("max", rounded(second.maxMillis()));
        members.put("errors", second.errors());
        members.put("violations", second.violations());
        return members;
    }

    private static double rounded(double number) {
        return Math.round(number * 1000) / 1000.0;
    }

    private static String format(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }
}
