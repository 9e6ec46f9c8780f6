package io.dshm.server.metrics;

import io.dshm.server.admin.MetricsSource;
import io.dshm.server.counters.Distribution;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** The metrics of one scrape, as they are read one after the other. A name may come again with other labels. */
final class Families {

    /** Without negative values, and no zero that is not exactly zero: every value here is above it. */
    private static final double ZERO_THRESHOLD = 0;

    private final Map<String, Family<?>> families = new LinkedHashMap<>();

    /** A metric, with all its series. */
    private abstract static class Family<P> {

        final String name;
        final String help;
        final List<P> points = new ArrayList<>();

        Family(String name, String help) {
            this.name = name;
            this.help = help;
        }

        abstract MetricSnapshot snapshot();
    }

    private static final class Counters extends Family<CounterDataPointSnapshot> {

        Counters(String name, String help) {
            super(name, help);
        }

        @Override
        MetricSnapshot snapshot() {
            CounterSnapshot.Builder builder =
                    CounterSnapshot.builder().name(name).help(help);
            points.forEach(builder::dataPoint);
            return builder.build();
        }
    }

    private static final class Gauges extends Family<GaugeDataPointSnapshot> {

        Gauges(String name, String help) {
            super(name, help);
        }

        @Override
        MetricSnapshot snapshot() {
            GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(name).help(help);
            points.forEach(builder::dataPoint);
            return builder.build();
        }
    }

    private static final class Histograms extends Family<HistogramDataPointSnapshot> {

        Histograms(String name, String help) {
            super(name, help);
        }

        @Override
        MetricSnapshot snapshot() {
            HistogramSnapshot.Builder builder =
                    HistogramSnapshot.builder().name(name).help(help);
            points.forEach(builder::dataPoint);
            return builder.build();
        }
    }

    private <F extends Family<?>> F family(String name, Class<F> kind, Supplier<F> create) {
        return kind.cast(families.computeIfAbsent(name, unused -> create.get()));
    }

    /**
     * Something that only grows.
     *
     * @param name without {@code _total}
     * @param labels names and values in turns
     */
    void counter(String name, String help, double value, String... labels) {
        family(name, Counters.class, () -> new Counters(name, help))
                .points
                .add(new CounterDataPointSnapshot(value, Labels.of(labels), null, 0));
    }

    /** Something that goes up and down. */
    void gauge(String name, String help, double value, String... labels) {
        family(name, Gauges.class, () -> new Gauges(name, help))
                .points
                .add(new GaugeDataPointSnapshot(value, Labels.of(labels), null));
    }

    /** The same of a whole number; beyond 2^53 it is rounded. */
    void counter(String name, String help, long value, String... labels) {
        counter(name, help, (double) value, labels);
    }

    /** The same of a whole number; beyond 2^53 it is rounded. */
    void gauge(String name, String help, long value, String... labels) {
        gauge(name, help, (double) value, labels);
    }

    /** What was counted in several places, as one histogram, classic and native. */
    void histogram(
            String name, String help, Collection<Distribution> parts, Distribution.Range range, String... labels) {
        Distribution.Sum sum = Distribution.sum(parts, range);
        NativeHistogramBuckets.Builder fine = NativeHistogramBuckets.builder();
        sum.fine((index, count) -> {
            if (count > 0) {
                fine.bucket(index, count);
            }
        });
        ClassicHistogramBuckets.Builder coarse = ClassicHistogramBuckets.builder();
        sum.coarse((bound, count) -> coarse.bucket(bound, count));
        family(name, Histograms.class, () -> new Histograms(name, help))
                .points
                .add(new HistogramDataPointSnapshot(
                        coarse.build(),
                        Distribution.SCHEMA,
                        0,
                        ZERO_THRESHOLD,
                        fine.build(),
                        NativeHistogramBuckets.EMPTY,
                        sum.sum(),
                        Labels.of(labels),
                        Exemplars.EMPTY,
                        0));
    }

    MetricSnapshots snapshots() {
        return new MetricSnapshots(
                families.values().stream().<MetricSnapshot>map(Family::snapshot).toList());
    }

    /** The values of the metrics with these names. */
    List<MetricsSource.Sample> samples(Set<String> names) {
        List<MetricsSource.Sample> samples = new ArrayList<>();
        for (Family<?> family : families.values()) {
            if (names.contains(family.name)) {
                for (Object point : family.points) {
                    if (point instanceof CounterDataPointSnapshot counter) {
                        samples.add(sample(family.name, counter.getLabels(), counter.getValue(), Map.of()));
                    } else if (point instanceof GaugeDataPointSnapshot gauge) {
                        samples.add(sample(family.name, gauge.getLabels(), gauge.getValue(), Map.of()));
                    } else if (point instanceof HistogramDataPointSnapshot histogram) {
                        samples.add(sample(family.name, histogram.getLabels(), histogram.getSum(), buckets(histogram)));
                    }
                }
            }
        }
        return samples;
    }

    private static Map<Integer, Long> buckets(HistogramDataPointSnapshot histogram) {
        NativeHistogramBuckets fine = histogram.getNativeBucketsForPositiveValues();
        Map<Integer, Long> buckets = new LinkedHashMap<>();
        for (int i = 0; i < fine.size(); i++) {
            buckets.put(fine.getBucketIndex(i), fine.getCount(i));
        }
        return buckets;
    }

    private static MetricsSource.Sample sample(String name, Labels labels, double value, Map<Integer, Long> buckets) {
        Map<String, String> values = new LinkedHashMap<>();
        labels.forEach(label -> values.put(label.getName(), label.getValue()));
        return new MetricsSource.Sample(name, values, value, buckets);
    }
}
