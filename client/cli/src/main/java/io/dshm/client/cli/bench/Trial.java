package io.dshm.client.cli.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/** One run of a plan against one target: fills, loads, looks at what has come of it, and removes its keys. */
public final class Trial {

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final double SHORTEST_SECONDS = 0.1;
    private static final int RADIX = 36;
    private static final int NAME_VALUES = 60_000_000;

    private final Plan plan;
    private final Target target;
    private final Consumer<Result.Second> live;
    private final String prefix;
    private final Bulk bulk;
    private final List<Worker> workers = new ArrayList<>();
    private final Map<Op, Histogram> totals = new EnumMap<>(Op.class);
    private final List<Result.Second> series = new ArrayList<>();
    private long measureFrom;
    private Duration cpuBefore = Duration.ZERO;
    private Duration cpuAfter = Duration.ZERO;

    private Trial(Plan plan, Target target, Consumer<Result.Second> live) {
        this.plan = plan;
        this.target = target;
        this.live = live;
        // A name of its own, so that all keys begin with nothing and nobody else writes them.
        prefix = plan.region() + "::"
                + Integer.toString(ThreadLocalRandom.current().nextInt(NAME_VALUES), RADIX) + ":";
        bulk = new Bulk(plan, target, prefix);
    }

    /**
     * Runs a plan.
     *
     * @param live is told about each second, on this thread
     * @throws IOException if it cannot begin: nobody can be connected to, or there is no room for the values to read
     */
    public static Result run(Plan plan, Target target, Consumer<Result.Second> live) throws IOException {
        Trial trial = new Trial(plan, target, live);
        Checks.Shared shared = new Checks.Shared(plan.threads());
        try {
            for (int i = 0; i < plan.threads(); i++) {
                Checks checks = new Checks(plan, i, target.endpoints().size(), shared);
                Worker worker = new Worker(plan, target, trial.prefix, i, checks);
                trial.workers.add(worker);
                worker.connect();
            }
            trial.fill();
            trial.load();
            return trial.finish();
        } finally {
            for (Worker worker : trial.workers) {
                worker.close();
            }
        }
    }

    private List<Checks> checks() {
        return workers.stream().map(worker -> worker.checks).toList();
    }

    /** Values to read, and on a server that counts only what is there, a 0 to count from. */
    private void fill() throws IOException {
        if (plan.mix().has(Op.GET) || plan.mix().has(Op.TOUCH)) {
            fill(Op.SET, Op.SET.space);
            for (Checks each : checks()) {
                if (each.values != null) {
                    each.values.filled();
                }
            }
        }
        if (plan.mix().has(Op.INCR) && target.kind() == Target.Kind.MEMCACHED) {
            fill(Op.CAS, Op.INCR.space);
        }
    }

    private void fill(Op op, char space) throws IOException {
        bulk.run(plan.keys(), new Bulk.Job() {
            @Override
            public boolean prepare(Request request, int number) {
                request.op = op;
                request.space = space;
                request.key = number;
                request.size = plan.sizeMin();
                request.tag = op == Op.SET ? ValueCheck.tag(number, 1) : 0;
                request.stores = true;
                request.version = 0;
                return true;
            }

            @Override
            public void replied(int number, Reply reply) {
                // that there is one is all that matters
            }
        });
    }

    private void load() {
        List<Thread> threads = new ArrayList<>();
        long begin = System.nanoTime();
        measureFrom = begin + plan.warmUp().toNanos();
        for (Worker worker : workers) {
            worker.schedule(begin);
            Thread thread = new Thread(worker, "bench-" + threads.size());
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
        Histogram interval = Meter.histogram();
        long last = begin;
        boolean measuring = false;
        while (workers.stream().anyMatch(worker -> !worker.isEnded())) {
            long next = Math.min(last + SECOND, measuring ? Long.MAX_VALUE : measureFrom);
            join(threads, next);
            long now = System.nanoTime();
            if (!measuring && now - measureFrom >= 0) {
                measuring = true;
                cpuBefore = cpu();
            }
            second(interval, last, now);
            last = now;
        }
        threads.forEach(Trial::join);
        workers.forEach(Worker::rethrow);
        cpuAfter = cpu();
        drain(interval);
    }

    /** Waits for that time, or until all have ended. */
    private static void join(List<Thread> threads, long until) {
        for (Thread thread : threads) {
            long millis = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
            if (millis > 0) {
                try {
                    thread.join(millis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration cpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private void drain(Histogram interval) {
        interval.reset();
        workers.forEach(worker -> worker.meter.drain(totals, interval));
    }

    private void second(Histogram interval, long last, long now) {
        drain(interval);
        if (now == last) {
            return;
        }
        Result.Second second = new Result.Second(
                (now - measureFrom) / 1e9,
                interval.getTotalCount() * 1e9 / (now - last),
                Result.millis(interval, 50),
                Result.millis(interval, 99),
                interval.getMaxValue() / 1e6,
                workers.stream().mapToLong(worker -> worker.meter.errors()).sum(),
                workers.stream()
                        .mapToLong(worker -> worker.checks.violations.count())
                        .sum());
        if (second.at() >= SHORTEST_SECONDS) {
            series.add(second);
        }
        live.accept(second);
    }

    private Result finish() {
        Violations violations = new Violations();
        Verification verification = new Verification(plan, bulk, checks(), violations);
        String unchecked = verification.run();
        checks().forEach(each -> violations.addAll(each.violations));
        Map<String, Long> found = new LinkedHashMap<>();
        verification
                .checked()
                .forEach(kind -> found.put(
                        kind.name().toLowerCase(Locale.ROOT),
                        violations.counts().getOrDefault(kind, 0L)));

        Map<String, Histogram> latencies = new LinkedHashMap<>();
        Histogram all = Meter.histogram();
        totals.forEach((op, histogram) -> {
            latencies.put(op.word(), histogram);
            all.add(histogram);
        });
        Histogram lateness = Meter.histogram();
        Map<String, Long> outcomes = new LinkedHashMap<>();
        Map<String, Long> errors = new LinkedHashMap<>();
        long inTime = 0;
        long neverSent = 0;
        long breaks = 0;
        long end = measureFrom;
        for (Worker worker : workers) {
            lateness.add(worker.meter.lateness());
            for (Reply.Outcome outcome : Reply.Outcome.values()) {
                outcomes.merge(
                        outcome.name().toLowerCase(Locale.ROOT),
                        worker.meter.outcomes.getOrDefault(outcome, 0L),
                        Long::sum);
            }
            worker.meter.errorTexts.forEach((text, count) -> errors.merge(text, count, Long::sum));
            inTime += worker.meter.inTime;
            neverSent += worker.meter.neverSent;
            breaks += worker.meter.breaks;
            end = Math.max(end, worker.end());
        }
        double seconds = Math.max(1e-3, (end - measureFrom) / 1e9);
        return new Result(
                target.name(),
                seconds,
                all.getTotalCount(),
                inTime / seconds,
                latencies,
                all,
                lateness,
                outcomes,
                errors,
                neverSent,
                breaks,
                found,
                violations.texts(),
                unchecked,
                cpuAfter.minus(cpuBefore).toNanos() / 1e9,
                series);
    }
}
