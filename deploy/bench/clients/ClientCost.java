import com.sun.management.OperatingSystemMXBean;
import io.dshm.client.DshmClient;
import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.options.GetOption;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/**
 * What a call costs in a client: {@code dshm|lettuce|jetcd PORT get|incr RATE WARM-UP SECONDS}. Begins a batch of calls each millisecond, as many as the rate asks
 * for, of 1,000 keys with 64 bytes; prints calls a second, and the processor time of this process for each.
 *
 * <p>The warm-up goes as fast as it can, with at most {@value #WARM_UP_OUTSTANDING} calls outstanding: at the rate of the measurement, the compiler of
 * the JVM would still be at work in it, and take half of what is measured. What the compiler takes all the same is told apart.
 */
public final class ClientCost {

    private static final int KEYS = 1_000;
    private static final int OUTSTANDING = 5_000;
    private static final int WARM_UP_OUTSTANDING = 256;
    private static final String VALUE = "v".repeat(64);

    private ClientCost() {}

    public static void main(String[] arguments) throws Exception {
        boolean reads = arguments[2].equals("get");
        int port = Integer.parseInt(arguments[1]);
        long rate = Long.parseLong(arguments[3]);
        long warmUp = Long.parseLong(arguments[4]);
        long seconds = Long.parseLong(arguments[5]);
        LongFunction<CompletionStage<?>> call = switch (arguments[0]) {
            case "dshm" -> dshm(port, reads);
            case "lettuce" -> lettuce(port, reads);
            case "jetcd" -> jetcd(port, reads);
            default -> throw new IllegalArgumentException("dshm, lettuce or jetcd, not " + arguments[0]);
        };
        warmUp(call, warmUp);
        System.out.println(measured(call, seconds, rate));
        System.exit(0);
    }

    private static LongFunction<CompletionStage<?>> dshm(int port, boolean reads) {
        DshmClient client = DshmClient.builder()
                .endpoints("127.0.0.1:" + port)
                .deadline(Duration.ofSeconds(30))
                .build();
        for (int i = 0; i < KEYS; i++) {
            client.set("cost::" + i, VALUE, Duration.ZERO).join();
        }
        return reads ? i -> client.get("cost::" + i % KEYS) : i -> client.incr("cost::n" + i % KEYS, 1);
    }

    private static LongFunction<CompletionStage<?>> lettuce(int port, boolean reads) throws Exception {
        RedisAsyncCommands<String, String> client =
                RedisClient.create("redis://127.0.0.1:" + port).connect().async();
        for (int i = 0; i < KEYS; i++) {
            client.set("cost:" + i, VALUE).get();
        }
        return reads ? i -> client.get("cost:" + i % KEYS) : i -> client.incrby("cost:n" + i % KEYS, 1);
    }

    private static LongFunction<CompletionStage<?>> jetcd(int port, boolean reads) throws Exception {
        KV client = Client.builder()
                .endpoints("http://127.0.0.1:" + port)
                .build()
                .getKVClient();
        ByteSequence value = bytes(VALUE);
        for (int i = 0; i < KEYS; i++) {
            client.put(bytes("cost:" + i), value).get();
        }
        GetOption local = GetOption.builder().withSerializable(true).build();
        ByteSequence number = bytes("12345678");
        return reads
                ? i -> client.get(bytes("cost:" + i % KEYS), local)
                : i -> client.put(bytes("cost:n" + i % KEYS), number);
    }

    private static ByteSequence bytes(String text) {
        return ByteSequence.from(text, StandardCharsets.US_ASCII);
    }

    private static void warmUp(LongFunction<CompletionStage<?>> call, long seconds) throws InterruptedException {
        Semaphore window = new Semaphore(WARM_UP_OUTSTANDING);
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        for (long i = 0; System.nanoTime() < until; i++) {
            window.acquire();
            call.apply(i).whenComplete((result, failure) -> window.release());
        }
        window.acquire(WARM_UP_OUTSTANDING);
    }

    private static String measured(LongFunction<CompletionStage<?>> call, long seconds, long rate)
            throws InterruptedException {
        Semaphore window = new Semaphore(OUTSTANDING);
        AtomicLong failed = new AtomicLong();
        long cpu = cpuNanos();
        long ofThreads = threadNanos();
        long from = System.nanoTime();
        long until = from + TimeUnit.SECONDS.toNanos(seconds);
        long calls = 0;
        for (long now = from; now < until; now = System.nanoTime()) {
            long due = (now - from) / 1_000 * rate / 1_000_000;
            while (calls < due && window.tryAcquire()) {
                call.apply(calls++).whenComplete((result, failure) -> {
                    window.release();
                    if (failure != null) {
                        failed.incrementAndGet();
                    }
                });
            }
            Thread.sleep(1);
        }
        window.acquire(OUTSTANDING);
        double took = (System.nanoTime() - from) / 1e9;
        double micros = (cpuNanos() - cpu) / 1e3 / calls;
        double microsOfThreads = (threadNanos() - ofThreads) / 1e3 / calls;
        return String.format(
                "%.0f req/s errors %d cpu %.2fus jvm %.2fus", calls / took, failed.get(), micros, micros - microsOfThreads);
    }

    /** Of the threads that run Java: not of the compiler and the collector. */
    private static long threadNanos() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        return LongStream.of(threads.getAllThreadIds()).map(threads::getThreadCpuTime).sum();
    }

    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
