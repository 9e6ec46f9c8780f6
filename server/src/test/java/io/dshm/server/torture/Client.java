package io.dshm.server.torture;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.server.history.Action;
import io.dshm.server.history.Operation;
import io.dshm.server.history.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client with one connection to one node, which it opens again when it breaks. It sends nothing a second time, and knows
 * of each operation exactly what the protocol tells it. Used by one thread.
 */
final class Client implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(2);

    /** How long a client that waits for every outcome does: more than a command may wait for a leader. */
    private static final Duration PATIENT = Duration.ofSeconds(8);

    /** How long one that does not: less than a node may stand still. */
    private static final Duration IMPATIENT = Duration.ofMillis(400);

    private final int number;
    private final String node;
    private final InetSocketAddress address;
    private final Access access;
    private final Duration patience;
    private @Nullable DshmConnection connection;

    private Client(int number, Machine machine, Duration patience) {
        this.number = number;
        this.node = machine.name();
        this.address = machine.node().address();
        this.access = machine.access();
        this.patience = patience;
    }

    /** One that waits for every outcome. */
    static Client patient(int number, Machine machine) {
        return new Client(number, machine, PATIENT);
    }

    /** One that soon gives up, and asks again over a new connection, so that something young always waits for a node. */
    static Client impatient(int number, Machine machine) {
        return new Client(number, machine, IMPATIENT);
    }

    /** Connects, if it is not connected. Returns whether it is. */
    boolean connect() {
        try {
            if (connection == null) {
                connection = access.connect(address, CONNECT, patience);
            }
            return true;
        } catch (IOException e) {
            // Faults are what this is about.
            return false;
        }
    }

    /** Sends all of these in one go, and returns what came of each. It must be connected. */
    List<Operation> call(List<Action> actions) {
        DshmConnection connected = connection;
        if (connected == null) {
            throw new IllegalStateException("not connected");
        }
        long invoked = System.nanoTime();
        List<Operation> operations = new ArrayList<>();
        int answered = 0;
        try {
            connected.sendAll(actions.stream().map(Client::command).toList());
            for (Action action : actions) {
                add(action, invoked, result(action, connected.receive()), operations);
                answered++;
            }
        } catch (IOException e) {
            close();
            // Of those that were not answered nothing is known, not even whether they were sent.
            for (Action action : actions.subList(answered, actions.size())) {
                add(action, invoked, lost(action, e.toString()), operations);
            }
        }
        return operations;
    }

    /** Of takes all or none each is an operation of its own, see {@code TakeChecker}. */
    private void add(Action action, long invoked, Result result, List<Operation> operations) {
        if (!(action instanceof Action.TakeAll all)) {
            operations.add(operation(action, invoked, result));
            return;
        }
        for (int i = 0; i < all.takes().size(); i++) {
            Result ofOne = result instanceof Result.Value told ? LimitReplies.ofOne(told.value(), i) : result;
            operations.add(operation(all.takes().get(i), invoked, ofOne));
        }
    }

    private Operation operation(Action action, long invoked, Result result) {
        long completed = result instanceof Result.Unknown ? Operation.NEVER : System.nanoTime();
        return new Operation(number, node, action, invoked, completed, result);
    }

    private static Result lost(Action action, String why) {
        return action instanceof Action.Get ? new Result.NotApplied(why) : new Result.Unknown(why);
    }

    private static Result result(Action action, Reply reply) throws IOException {
        if (reply == Reply.Done.DONE) {
            return new Result.Done();
        } else if (reply instanceof Reply.Value value) {
            return new Result.Value(Values.shorten(value.bytes()));
        } else if (reply instanceof Reply.Detailed told) {
            return new Result.Value(LimitReplies.words(action, told));
        } else if (reply instanceof Reply.Failure failure) {
            if (failure.code() == ErrorCode.NOT_FOUND && action instanceof Action.Get) {
                return new Result.NotFound();
            }
            return failure.code().effect() == ErrorCode.Effect.UNKNOWN
                    ? lost(action, failure.code().wireName())
                    : new Result.NotApplied(failure.code().wireName());
        }
        throw new IOException("not a reply: " + reply);
    }

    private static Command command(Action action) {
        Key key = Key.of(action.key());
        if (action instanceof Action.Get get) {
            return new Command.Get(key, ReadMode.valueOf(get.mode().name()));
        } else if (action instanceof Action.Set set) {
            return new Command.Set(key, set.ttlMillis(), Values.expand(set.value()));
        } else if (action instanceof Action.Delete) {
            return new Command.Delete(key);
        } else if (action instanceof Action.Touch touch) {
            return new Command.Touch(key, touch.ttlMillis());
        } else if (action instanceof Action.Incr incr) {
            return new Command.Incr(key, incr.by(), incr.init(), incr.initTtlMillis());
        } else if (action instanceof Action.RateLimiter limiter) {
            return new Command.RateLimiter(key, limiter.capacity(), limiter.durationMillis());
        } else if (action instanceof Action.OfLimit ofLimit) {
            return LimitReplies.command(ofLimit);
        }
        return new Command.FlushAll(key.bytes());
    }

    /** Breaks the connection, if there is one. */
    @Override
    public void close() {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            connection = null;
        }
    }
}
