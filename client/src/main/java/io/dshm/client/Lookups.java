package io.dshm.client;

import io.dshm.client.internal.Reasons;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Looks names up, each in a thread that ends soon after: one name that hangs does not hold up the others. */
final class Lookups {

    private final Core core;
    private final ThreadPoolExecutor threads;

    Lookups(Core core) {
        this.core = core;
        int names = core.settings.endpoints().size();
        this.threads = new ThreadPoolExecutor(
                names,
                names,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new DefaultThreadFactory("dshm-lookup", true));
        threads.allowCoreThreadTimeOut(true);
    }

    /** Looks up; one of the two is told on the event loop, or at once after the end. */
    void begin(String host, Consumer<List<InetAddress>> then, Consumer<String> orElse) {
        try {
            threads.execute(() -> {
                try {
                    List<InetAddress> addresses =
                            List.copyOf(core.settings.resolver().resolve(host));
                    if (addresses.isEmpty()) {
                        throw new UnknownHostException(host);
                    }
                    core.execute(() -> then.accept(addresses));
                } catch (UnknownHostException | RuntimeException e) {
                    core.execute(() -> orElse.accept(Reasons.of(e)));
                }
            });
        } catch (RejectedExecutionException e) {
            orElse.accept("the client is closed");
        }
    }

    void end() {
        threads.shutdown();
    }
}
