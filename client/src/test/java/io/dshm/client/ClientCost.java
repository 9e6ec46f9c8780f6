package io.dshm.client;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a call costs in this client, beside the same calls of a load generator in C: {@code ENDPOINT get|incr|set OUTSTANDING SECONDS [RATE]}. Prints calls a
 * second, and the CPU time of this process for each, after a warm-up of the same length.
 */
final class ClientCost {

    private ClientCost() {}

    public static void main(String[] arguments) throws InterruptedException {
        String verb = arguments[1];
        int outstanding = Integer.parseInt(arguments[2]);
        long seconds = Long.parseLong(arguments[3]);
        long rate = arguments.length > 4 ? Long.parseLong(arguments[4]) : Long.MAX_VALUE;
        try (DshmClient client = DshmClient.builder()
                .endpoints(arguments[0])
                .outstanding(outstanding + 1)
                .deadline(Duration.ofSeconds(30))
                .build()) {
            client.set("cost::0", "value", Duration.ZERO).join();
            System.out.println("warm-up: " + measured(client, verb, outstanding, seconds, rate));
            System.out.println("measured: " + measured(client, verb, outstanding, seconds, rate));
        }
    }

    private static String measured(DshmClient client, String verb, int outstanding, long seconds, long rate)
            throws InterruptedException {
        Semaphore window = new Semaphore(outstanding);
        AtomicLong failed = new AtomicLong();
        long cpu = cpuNanos();
        long from = System.nanoTime();
        long until = from + TimeUnit.SECONDS.toNanos(seconds);
        long calls = 0;
        for (long now = from; now < until; now = System.nanoTime()) {
            // At a rate, a batch a millisecond; else as many as there is room for.
            long due = rate == Long.MAX_VALUE ? Long.MAX_VALUE : (now - from) / 1_000 * rate / 1_000_000;
            while (calls < due && window.tryAcquire()) {
                begin(client, verb, calls++).whenComplete((result, failure) -> {
                    window.release();
                    if (failure != null) {
                        failed.incrementAndGet();
                    }
                });
            }
            if (calls >= due) {
                Thread.sleep(1);
            } else {
                window.acquire();
                window.release();
            }
        }
        window.acquire(outstanding);
        double took = (System.nanoTime() - from) / 1e9;
        double micros = (cpuNanos() - cpu) / 1e3 / calls;
        return String.format("%,.0f calls/s, %.2f us CPU a call, %d failed", calls / took, micros, failed.get());
    }

    private static CompletableFuture<?> begin(DshmClient client, String verb, long number) {
        String key = "cost::" + number % 1_000;
        return switch (verb) {
            case "get" -> client.get(key);
            case "incr" -> client.incr("n" + key, 1);
            case "set" -> client.set(key, "value", Duration.ZERO);
            default -> throw new IllegalArgumentException("get, incr or set, not " + verb);
        };
    }

    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
