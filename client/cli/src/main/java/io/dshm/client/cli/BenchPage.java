package io.dshm.client.cli;

import io.dshm.client.cli.bench.Chart;
import io.dshm.client.cli.bench.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/** The page of {@code dshm bench --html}: one file, which asks no other host for anything. */
final class BenchPage {

    private static final double[] PERCENTILES = {0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.995, 99.999};
    private static final String STYLE = """
            :root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --grid: #d5d9de;
              --c0: #0b62c4; --c1: #c2410c; --c2: #15803d; --c3: #7e22ce; --c4: #a16207; --c5: #be123c; --c6: #0e7490; --c7: #57534e }
            @media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e8ea; --grid: #3a4047;
              --c0: #6cb0ff; --c1: #ff9d66; --c2: #6ee7a0; --c3: #d0a2ff; --c4: #f2cc60; --c5: #ff8fa3; --c6: #67e0f5; --c7: #c8c2bc } }
            body { font: 15px/1.5 system-ui, sans-serif; background: var(--paper); color: var(--ink); max-width: 860px; margin: 2em auto; padding: 0 1em }
            pre { overflow-x: auto } figure { margin: 1.5em 0 } figcaption { font-weight: 600 }
            svg { width: 100%; height: auto } svg text { fill: var(--ink); font-size: 12px } polyline { fill: none; stroke-width: 1.8 }
            .axis { stroke: var(--grid) } .legend span { margin-right: 1.2em } .legend i { display: inline-block; width: 1em; height: .6em; margin-right: .4em }
            """;

    private BenchPage() {}

    /**
     * The page.
     *
     * @param lines what is shown in a terminal
     * @param results one a target
     */
    static String of(List<String> lines, List<Result> results) {
        StringBuilder colours = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            colours.append("polyline.s" + i + " { stroke: var(--c" + i + ") } i.s" + i + " { background: var(--c" + i
                    + ") }\n");
        }
        return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>dshm bench</title>\n"
                + "<meta name=\"viewport\" content=\"width=device-width\"><style>\n"
                + STYLE
                + colours
                + "</style></head><body>\n<h1>dshm bench</h1>\n<pre>"
                + lines.stream().map(Chart::text).collect(Collectors.joining("\n"))
                + "</pre>\n"
                + percentiles(results)
                + overTime("Requests a second", false, results, List.of(""), List.of(Result.Second::perSecond))
                + overTime(
                        "Latency over time, ms",
                        true,
                        results,
                        List.of("p50", "p99", "max"),
                        List.of(Result.Second::p50Millis, Result.Second::p99Millis, Result.Second::maxMillis))
                + overTime(
                        "Errors and violations so far",
                        false,
                        results,
                        List.of("errors", "violations"),
                        List.of(Result.Second::errors, Result.Second::violations))
                + "</body></html>\n";
    }

    /** On the horizontal axis each further nine has the same room. */
    private static String percentiles(List<Result> results) {
        Chart chart = new Chart("Latency by percentile, ms", true);
        for (Result result : results) {
            if (results.size() == 1 && result.latencies().size() > 1) {
                result.latencies().forEach((word, histogram) -> add(chart, word, histogram));
            }
            add(chart, results.size() == 1 ? "all" : result.target(), result.all());
        }
        for (double percentile : List.of(0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999)) {
            chart.tick(nines(percentile), String.valueOf(percentile).replaceFirst("\\.0$", "") + " %");
        }
        return chart.svg();
    }

    private static void add(Chart chart, String name, Histogram histogram) {
        List<Chart.Point> points = new ArrayList<>();
        for (double percentile : PERCENTILES) {
            // Of a percentile with less than one request above it, nothing is known.
            if (histogram.getTotalCount() * (100 - percentile) >= 100) {
                points.add(new Chart.Point(nines(percentile), Result.millis(histogram, percentile)));
            }
        }
        if (!points.isEmpty()) {
            chart.line(name, points);
        }
    }

    private static double nines(double percentile) {
        return -Math.log10(1 - percentile / 100);
    }

    private static String overTime(
            String title,
            boolean logarithmic,
            List<Result> results,
            List<String> names,
            List<ToDoubleFunction<Result.Second>> values) {
        Chart chart = new Chart(title, logarithmic);
        double last = 0;
        for (Result result : results) {
            for (int i = 0; i < names.size(); i++) {
                List<Chart.Point> points = new ArrayList<>();
                for (Result.Second second : result.series()) {
                    points.add(new Chart.Point(second.at(), values.get(i).applyAsDouble(second)));
                    last = Math.max(last, second.at());
                }
                String name =
                        (results.size() == 1 && !names.get(i).isEmpty() ? "" : result.target() + " ") + names.get(i);
                if (!points.isEmpty()) {
                    chart.line(name.strip(), points);
                }
            }
        }
        double step = Math.max(1, Math.ceil(last / 10));
        for (double at = 0; at <= last; at += step) {
            chart.tick(at, Math.round(at) + " s");
        }
        return chart.svg();
    }
}
