package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.counters.Tally;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What limits have refused to the clients of one event loop: for a bounded number of keys the newest refusals. A key
 * takes the place of another one that has the same hash, so that one which is refused all the time leaves the others
 * theirs. Written by the loop, without locks, and only when something is refused; read by any thread.
 */
public final class Refusals {

    private static final String REFUSED = "allowed=0";

    /** What RATE_LIMITER says to whom it refuses. */
    private static final long REJECTED = -1;

    /**
     * One refusal.
     *
     * @param millis since 1970, by this machine's clock
     * @param client who asked
     * @param what the command
     * @param cost what was wanted
     * @param policy under which name the limit's numbers were found; null if they came with the command
     * @param details the reply, without a value
     */
    public record Refusal(
            long millis,
            SocketAddress client,
            CommandKind what,
            long cost,
            @Nullable Key policy,
            String details) {}

    /** The refusals of one key. */
    private static final class OfKey {

        private final Key key;
        private final AtomicReferenceArray<Refusal> newest = new AtomicReferenceArray<>(Limits.REFUSALS_OF_A_KEY_MAX);
        private final Tally count = new Tally();

        private OfKey(Key key) {
            this.key = key;
        }

        private void add(Refusal refusal) {
            newest.setRelease((int) (count.get() % newest.length()), refusal);
            count.add(1);
        }
    }

    private final LongSupplier wallMillis;
    private final AtomicReferenceArray<@Nullable OfKey> keys = new AtomicReferenceArray<>(Limits.REFUSED_KEYS_MAX);

    /**
     * Nothing was refused yet.
     *
     * @param wallMillis as {@link System#currentTimeMillis}
     */
    public Refusals(LongSupplier wallMillis) {
        this.wallMillis = wallMillis;
    }

    /** That command, of which {@link #isLimited} is true, got that reply. Loop only. */
    void answered(Command limited, Reply reply, SocketAddress client) {
        if (reply instanceof Reply.Detailed decision && decision.details().startsWith(REFUSED)) {
            onRefused(limited, decision, client);
        } else if (reply instanceof Reply.IntegerValue left
                && left.number() == REJECTED
                && limited instanceof Command.RateLimiter rate) {
            String details = "limit=" + rate.capacity() + " period=" + rate.durationMillis();
            add(rate.key(), refusal(client, limited, 1, null, details));
        }
    }

    /** Whether that is a command that a limit may refuse; it has no identity around it. */
    static boolean isLimited(Command command) {
        return command instanceof Command.OfLimit || command instanceof Command.RateLimiter;
    }

    private void onRefused(Command limited, Reply.Detailed decision, SocketAddress client) {
        if (limited instanceof Command.TakeAll all) {
            // Which of them, by their numbers from 1 on: allowed=0 refused=1,3
            String refused = decision.details().substring(decision.details().indexOf("refused=") + "refused=".length());
            for (String number : refused.split(",", -1)) {
                Command.Take take = all.takes().get(Integer.parseInt(number) - 1);
                add(take.key(), refusal(client, limited, take.cost(), take.policyKey(), decision.details()));
            }
        } else if (limited instanceof Command.KeyWrite write) {
            Command.@Nullable Take take = takeIn(limited);
            add(
                    write.key(),
                    take == null
                            ? refusal(client, limited, 1, null, decision.details())
                            : refusal(client, limited, take.cost(), take.policyKey(), decision.details()));
        }
    }

    private static Command.@Nullable Take takeIn(Command limited) {
        if (limited instanceof Command.Reserve reserve) {
            return reserve.take();
        }
        if (limited instanceof Command.Grant grant) {
            return grant.take();
        }
        return limited instanceof Command.Take take ? take : null;
    }

    private Refusal refusal(SocketAddress client, Command what, long cost, @Nullable Key policy, String details) {
        return new Refusal(wallMillis.getAsLong(), client, CommandKind.of(what), cost, policy, details);
    }

    private void add(Key key, Refusal refusal) {
        if (key.bytes().length > Limits.REFUSED_KEY_BYTES_MAX) {
            return;
        }
        int place = place(key);
        OfKey known = keys.getPlain(place);
        if (known == null || !known.key.equals(key)) {
            known = new OfKey(key);
            keys.setRelease(place, known);
        }
        known.add(refusal);
    }

    private int place(Key key) {
        return Math.floorMod(key.hash(), keys.length());
    }

    // --- read by any thread ---

    /** The keys of which anything is remembered, in no order. */
    public List<Key> keys() {
        List<Key> all = new ArrayList<>();
        for (int place = 0; place < keys.length(); place++) {
            OfKey known = keys.getAcquire(place);
            if (known != null) {
                all.add(known.key);
            }
        }
        return all;
    }

    /** How often that key was refused, as far as it is remembered. */
    public long count(Key key) {
        OfKey known = keys.getAcquire(place(key));
        return known == null || !known.key.equals(key) ? 0 : known.count.get();
    }

    /** The newest refusals of that key, in no order. */
    public List<Refusal> of(Key key) {
        OfKey known = keys.getAcquire(place(key));
        List<Refusal> all = new ArrayList<>();
        if (known != null && known.key.equals(key)) {
            for (int i = 0; i < known.newest.length(); i++) {
                @Nullable Refusal one = known.newest.getAcquire(i);
                if (one != null) {
                    all.add(one);
                }
            }
        }
        return all;
    }
}
