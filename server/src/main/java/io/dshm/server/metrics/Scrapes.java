package io.dshm.server.metrics;

import io.dshm.server.admin.MetricsSource;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Answers scrapes with what the JVM and the node say at that moment. Thread-safe if the node's part is. */
public final class Scrapes implements MetricsSource {

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Consumer<Families> node;

    /** @param node adds the node's own metrics to those of a scrape */
    Scrapes(Consumer<Families> node) {
        this.node = node;
        JvmMetrics.builder().register(registry);
        registry.register((MultiCollector) () -> {
            Families families = new Families();
            node.accept(families);
            return families.snapshots();
        });
    }

    @Override
    public Scrape scrape(@Nullable String accept) throws IOException {
        ExpositionFormatWriter writer = formats.findWriter(accept);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        writer.write(body, all());
        return new Scrape(writer.getContentType(), body.toByteArray());
    }

    @Override
    public List<Sample> samples(Set<String> names) {
        Families families = new Families();
        node.accept(families);
        return families.samples(names);
    }

    MetricSnapshots all() {
        return registry.scrape();
    }
}
