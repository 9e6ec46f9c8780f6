package io.dshm.server.simulation;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.writes.Records;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A client and its connection, served as the front end serves one: writes are pipelined; a read, a large value, and
 * whatever follows that, wait until nothing is outstanding.
 */
final class Client {

    /**
     * The keys of all. Keys that share a number in {@code AcknowledgedWrites} would make a read wait that need
     * not, in one process and not in another, because a key's hash is different in each: so none of these do.
     */
    static final List<Key> ALL_KEYS = distinct(
            "c0", "c1", "r:c2", "v0", "r:v1", "r:v2", "r:l0", "l1", "x0", "r:x1", "r:tf", "tl", "tc", "r:tg", "ty",
            "p0", "r:p1", "qg", "r:qf", "ql", "s:qf", "s:ql");

    /** Limits that nobody deletes, so that each share of them counts until its end; see {@link Taker}. */
    static final List<Key> SHARED = ALL_KEYS.subList(ALL_KEYS.size() - 2, ALL_KEYS.size());

    private static final List<Key> KEYS = ALL_KEYS.subList(0, ALL_KEYS.size() - 2);

    private static final int OUTSTANDING_MAX = 12;
    private static final int BURST_MAX = 5;
    private static final long[] TTLS = {0, 0, 1, 40, 300, 1_000, 3_000};
    private static final int STRIPES_MASK = (1 << 14) - 1;

    private final World world;
    private final Random random;
    private final int name;
    private final int thinkMillisMax;
    private int left;
    private int largeLeft;

    private SimulatedNode.@Nullable Running running;
    private SimulatedNode node;
    private int laneIndex;
    private Operation.Connection connection = new Operation.Connection();
    private final List<Operation> outstanding = new ArrayList<>();
    private @Nullable Key barrier;
    private boolean waitsForRead;
    private long next;

    Client(World world, int name, int commands, int large) {
        this.world = world;
        this.random = world.events.random;
        this.name = name;
        this.left = commands;
        this.largeLeft = large;
        this.thinkMillisMax = 1 + random.nextInt(150);
        this.node = world.anyNode();
    }

    private static List<Key> distinct(String... names) {
        List<Key> keys = new ArrayList<>();
        for (String name : names) {
            Key key = Key.of(name);
            for (int i = 0; clashes(keys, key); i++) {
                key = Key.of(name + "-" + i);
            }
            keys.add(key);
        }
        return keys;
    }

    private static boolean clashes(List<Key> keys, Key key) {
        return keys.stream().anyMatch(other -> ((other.hash() ^ key.hash()) & STRIPES_MASK) == 0);
    }

    boolean isDone() {
        return left == 0 && outstanding.isEmpty() && barrier == null && !waitsForRead;
    }

    /** Goes on for as long as there is something to do; called once. */
    void think() {
        world.events.after(world.events.millis(0, thinkMillisMax), () -> {
            if (running != node.running() || running == null) {
                reconnect();
            }
            SimulatedNode.Running connected = running;
            if (connected != null && left > 0) {
                connected.lanes.get(laneIndex).execute(() -> burst(connected));
            }
            think();
        });
    }

    private void reconnect() {
        for (Operation lost : outstanding) {
            if (lost.reply == null) {
                world.checks.onConnectionLost();
            }
        }
        outstanding.clear();
        barrier = null;
        waitsForRead = false;
        connection = new Operation.Connection();
        node = world.anyNode();
        running = node.running();
        SimulatedNode.Running connected = running;
        if (connected != null) {
            laneIndex = random.nextInt(connected.lanes.size());
        }
    }

    private void burst(SimulatedNode.Running on) {
        for (int i = random.nextInt(BURST_MAX); i >= 0 && left > 0 && running == on; i--) {
            boolean large = outstanding.stream().anyMatch(Operation::isLarge);
            if (barrier != null || waitsForRead || large || outstanding.size() >= OUTSTANDING_MAX) {
                return;
            }
            boolean writesLarge = largeLeft > 0 && random.nextInt(10) == 0;
            if (writesLarge && !outstanding.isEmpty()) {
                return;
            }
            left--;
            Key key = KEYS.get(random.nextInt(KEYS.size()));
            if (random.nextInt(3) == 0) {
                barrier = key;
                readIfDue(on);
            } else {
                Command.Write command = writesLarge ? largeSet(key) : command(key);
                // Refused at once, so that there is nothing to follow.
                boolean tooNew = Records.formatOf(command) > Formats.FIRST && on.stateMachine.format() < Formats.BOUNDS;
                submit(on, tooNew ? set(key) : command);
            }
        }
    }

    private void submit(SimulatedNode.Running on, Command.Write command) {
        Operation operation = new Operation(next++, connection, node, command, world.checks.acknowledgedIndex());
        outstanding.add(operation);
        long origin = on.origins.get(laneIndex);
        world.checks.onSubmit(operation, origin);
        if (on.drains()) {
            world.checks.onRefused(operation, origin);
        }
        Lane lane = on.lane(laneIndex);
        lane.submit(command, Logins.credential(on.stateMachine.users(), random), reply -> {
            world.checks.onReply(operation, reply);
            outstanding.remove(operation);
            readIfDue(on);
        });
    }

    private void readIfDue(SimulatedNode.Running on) {
        Key key = barrier;
        if (key != null && outstanding.isEmpty() && running == on) {
            barrier = null;
            waitsForRead = true;
            ReadMode mode = random.nextBoolean() ? ReadMode.LINEARIZABLE : ReadMode.LOCAL;
            long shown = mode == ReadMode.LINEARIZABLE
                    ? world.checks.shownIndex()
                    : node.reads().acknowledgedFor(key);
            on.read(key, mode, on.lane(laneIndex), reply -> {
                waitsForRead = false;
                if (!(reply instanceof Reply.Failure failure) || failure.code() == ErrorCode.NOT_FOUND) {
                    world.checks.onRead(node, key, mode, shown, reply);
                }
            });
        }
    }

    private Command.Write command(Key key) {
        if (random.nextInt(40) == 0) {
            return new Command.FlushAll((random.nextBoolean() ? "r" : "").getBytes(StandardCharsets.US_ASCII));
        }
        if (random.nextInt(12) == 0) {
            return new Command.Delete(key);
        }
        if (random.nextInt(12) == 0) {
            return new Command.Touch(key, ttl());
        }
        return switch (kindOf(key)) {
            case 'c' -> new Command.Incr(key, random.nextInt(9) - 3, random.nextInt(3), ttl());
            case 'v' -> set(key);
            case 'l' -> limiter(key);
            case 'p' -> permit(key);
            case 'q' -> holding(key);
            case 't' -> random.nextInt(3) == 0 ? takeAll(key) : take(key, false);
            default ->
                switch (random.nextInt(3)) {
                    case 0 -> new Command.Incr(key, random.nextBoolean() ? Long.MAX_VALUE : -1, 1, ttl());
                    case 1 -> set(key);
                    default -> limiter(key);
                };
        };
    }

    private static char kindOf(Key key) {
        String text = key.toString();
        return text.charAt(text.indexOf(':') + 1);
    }

    private Command.Write limiter(Key key) {
        boolean fast = key.toString().length() % 2 == 0;
        int capacity = fast ? 2 : 3;
        long durationMillis = fast ? 150 : 1_200;
        // Now and then another limit on the same key: neither may let more through because of the other one.
        return random.nextInt(4) == 0
                ? new Command.RateLimiter(key, 2 * capacity, 3 * durationMillis)
                : new Command.RateLimiter(key, capacity, durationMillis);
    }

    /** Reservations and shares of a limit, and takes beside them. */
    private Command.Write holding(Key key) {
        Policy policy = switch (key.toString().charAt(key.toString().indexOf('q') + 1)) {
            case 'g' -> new Policy(Algorithm.GCRA, 8, 900, 5);
            case 'f' -> new Policy(Algorithm.FIXED, 8, 700);
            default -> new Policy(Algorithm.LOG, 8, 800);
        };
        Key id = Key.of("i" + random.nextInt(4));
        Command.Take take = new Command.Take(key, policy, 1 + random.nextInt(4));
        return switch (random.nextInt(5)) {
            case 0 -> new Command.Reserve(take, id, List.of(30L, 400L, 1_500L).get(random.nextInt(3)));
            case 1 -> new Command.Settle(key, id, random.nextInt(6));
            case 2 -> new Command.Grant(take, id, 1 + random.nextInt((int) take.cost()));
            case 3 -> new Command.Return(key, id, random.nextInt(4));
            default -> take;
        };
    }

    /** Two at a time; several clients ask for the same holder. */
    private Command.Write permit(Key key) {
        Key holder = Key.of("h" + random.nextInt(4));
        return random.nextInt(3) == 0
                ? new Command.Release(key, holder)
                : new Command.Acquire(key, 2, holder, List.of(50L, 400L, 2_000L).get(random.nextInt(3)));
    }

    /** Each key has an algorithm and numbers of its own, so that what is admitted can be judged by them alone. */
    private Command.Take take(Key key, boolean shadow) {
        String text = key.toString();
        Policy policy = switch (text.charAt(text.indexOf('t', text.indexOf(':') + 1) + 1)) {
            case 'f' -> new Policy(Algorithm.FIXED, 4, 400);
            case 'l' -> new Policy(Algorithm.LOG, 5, 700);
            case 'c' -> new Policy(Algorithm.COUNTER, 7, 300);
            case 'g' -> new Policy(Algorithm.GCRA, 3, 1_000, 4);
            default -> new Policy(Algorithm.LEAKY, 7, 900, 2);
        };
        return new Command.Take(key, policy, null, random.nextInt(4), shadow);
    }

    /** Some limits of a region at once, now and then one of them twice. */
    private Command.Write takeAll(Key key) {
        List<Key> keys = KEYS.stream()
                .filter(other -> kindOf(other) == 't' && other.isOfRegionOf(key))
                .toList();
        List<Command.Take> takes = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            takes.add(take(keys.get(random.nextInt(keys.size())), random.nextInt(4) == 0));
        }
        return new Command.TakeAll(takes, 0);
    }

    private Command.Write set(Key key) {
        return new Command.Set(key, ttl(), value(random.nextInt(60) == 0 ? 5_000 : 12));
    }

    private Command.Write largeSet(Key key) {
        largeLeft--;
        return new Command.Set(key, ttl(), value(Limits.INLINE_VALUE_BYTES_MAX + 1 + random.nextInt(300_000)));
    }

    /** A value that no other SET has: the first 12 bytes tell whose it is. */
    private byte[] value(int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) ('a' + random.nextInt(26)));
        byte[] token = String.format("%03d-%08d", name, next).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(token, 0, value, 0, token.length);
        return value;
    }

    private long ttl() {
        return TTLS[random.nextInt(TTLS.length)];
    }
}
