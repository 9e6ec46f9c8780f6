package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.proto.text.Policies;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.shares.BootTime;
import io.dshm.server.shares.ShareCounts;
import io.dshm.server.shares.Shares;
import io.dshm.server.shares.Uptime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** The shares of a node's lanes; a lane has some from its first connection on. Thread-safe. */
public final class LaneShares {

    private static final Uptime UPTIME = new Uptime();

    private final Map<Lane, Shares> shares = new ConcurrentHashMap<>();

    /** Those of that lane. On its thread. */
    Shares of(Lane lane) {
        return shares.computeIfAbsent(
                lane,
                one -> new Shares(
                        new OverLane(one),
                        new BootTime(System::nanoTime, System::currentTimeMillis, UPTIME),
                        ThreadLocalRandom.current().nextLong()));
    }

    /** What the shares of each lane have decided. Any thread. */
    public List<ShareCounts> counts() {
        return shares.values().stream().map(Shares::counts).toList();
    }

    /** Has all of them given back, and takes none any more; done when the lanes have what is to be sent. Any thread. */
    public CompletableFuture<Void> close() {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        shares.forEach((lane, ofLane) -> {
            CompletableFuture<Void> done = new CompletableFuture<>();
            all.add(done);
            lane.execute(() -> {
                ofLane.close();
                done.complete(null);
            });
        });
        return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]));
    }

    private record OverLane(Lane lane) implements Shares.Cluster {

        @Override
        public void submit(Command.Write write, long credential, ReplyListener listener) {
            lane.submit(write, credential, listener);
        }

        @Override
        public void after(long nanos, Runnable task) {
            lane.after(nanos, task);
        }

        @Override
        public @Nullable Policy policy(Key key) {
            Reply reply = lane.reads().read(new Command.Get(key));
            return reply instanceof Reply.Value value ? Policies.parse(value.bytes()) : null;
        }
    }
}
