package io.dshm.server.store;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.ByteBuffer;
import java.util.Scanner;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.NotificationEmitter;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;

/**
 * Measures a store with many entries: what one takes, how many objects there are, how long the collector holds everything up, and
 * how much processor time an operation takes. Not a test; server/README.md has the command and what came out of it.
 *
 * <p>The argument is the number of entries, of 16-byte keys and 32-byte values; without it, five million.
 */
public final class StoreBench {

    private static final int KEY_BYTES = 16;
    private static final int VALUE_BYTES = 32;

    private final int count;
    private final Store store = new Store();
    private final Cursor cursor = new Cursor();
    private final AtomicLong pauseMillisMax = new AtomicLong();
    private final AtomicLong pauses = new AtomicLong();
    private long version;

    private StoreBench(int count) {
        this.count = count;
    }

    public static void main(String[] args) throws Exception {
        StoreBench bench = new StoreBench(args.length > 0 ? Integer.parseInt(args[0]) : 5_000_000);
        bench.listen();
        bench.run();
    }

    private void run() throws Exception {
        long bytesBefore = usedBytes();
        long objectsBefore = objects();
        forgetPauses();
        measure("load", () -> {
            for (int i = 0; i < count; i++) {
                put(i);
            }
        });
        System.out.printf("  %d pauses of the collector, the longest %d ms%n", pauses.get(), pauseMillisMax.get());
        System.out.printf("  %.1f bytes an entry%n", (double) (usedBytes() - bytesBefore) / count);
        System.out.printf("  %.1f bytes an entry by the formula%n", (double) store.bytes() / count);
        System.out.printf("  %d objects%n", objects() - objectsBefore);
        SplittableRandom random = new SplittableRandom(1);
        measure("get", () -> {
            for (int i = 0; i < count; i++) {
                get(random.nextInt(count));
            }
        });
        measure("get where it stands", () -> {
            for (int i = 0; i < count; i++) {
                find(random.nextInt(count));
            }
        });
        measure("get of what is not there", () -> {
            for (int i = 0; i < count; i++) {
                get(count + random.nextInt(count));
            }
        });
        forgetPauses();
        measure("overwrite at random", () -> {
            for (int i = 0; i < count; i++) {
                put(random.nextInt(count));
            }
        });
        System.out.printf("  %d pauses of the collector, the longest %d ms%n", pauses.get(), pauseMillisMax.get());
        System.out.printf("  %.1f bytes an entry%n", (double) (usedBytes() - bytesBefore) / count);
        measure("remove", () -> {
            for (int i = 0; i < count; i++) {
                byte[] key = key(i);
                store.remove(key, hash(key));
            }
        });
        System.out.printf("  %d entries left, %d bytes by the formula%n", store.entryCount(), store.bytes());
    }

    private void put(int number) {
        byte[] key = key(number);
        version++;
        byte[] value = ByteBuffer.allocate(VALUE_BYTES).putLong(version).array();
        store.put(key, hash(key), Entry.of(value, Entry.NEVER, version));
    }

    private void get(int number) {
        byte[] key = key(number);
        Entry entry = store.get(key, hash(key));
        if ((entry == null) != (number >= count)) {
            throw new IllegalStateException("number " + number);
        }
    }

    private void find(int number) {
        byte[] key = key(number);
        if (!store.find(key, hash(key), cursor) || cursor.valueLength() != VALUE_BYTES) {
            throw new IllegalStateException("number " + number);
        }
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(KEY_BYTES).putLong(Long.BYTES, number).array();
    }

    private static int hash(byte[] key) {
        long mixed = ByteBuffer.wrap(key).getLong(Long.BYTES) * 0x9E3779B97F4A7C15L;
        return (int) (((mixed ^ (mixed >>> 29)) * 0xBF58476D1CE4E5B9L) >>> 32);
    }

    private void measure(String what, Runnable work) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long from = threads.getCurrentThreadCpuTime();
        long bytes = threads.getCurrentThreadAllocatedBytes();
        work.run();
        long nanos = (threads.getCurrentThreadCpuTime() - from) / count;
        System.out.printf(
                "%s: %d ns, %d bytes allocated%n",
                what, nanos, (threads.getCurrentThreadAllocatedBytes() - bytes) / count);
    }

    private void forgetPauses() {
        pauses.set(0);
        pauseMillisMax.set(0);
    }

    private void listen() {
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            ((NotificationEmitter) collector)
                    .addNotificationListener(
                            (notification, any) -> {
                                CompositeData all = (CompositeData) notification.getUserData();
                                CompositeData info = (CompositeData) all.get("gcInfo");
                                pauses.incrementAndGet();
                                pauseMillisMax.accumulateAndGet((long) info.get("duration"), Math::max);
                            },
                            null,
                            null);
        }
    }

    private static long usedBytes() {
        System.gc();
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        return heap.getUsed();
    }

    /** Live ones, by the histogram of the JVM. */
    private static long objects() throws Exception {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        String total = histogram.substring(histogram.lastIndexOf("Total")).trim();
        return new Scanner(total).useDelimiter("\\D+").nextLong();
    }
}
