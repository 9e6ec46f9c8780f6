package io.dshm.server.replication;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.writes.Outbox;
import io.dshm.server.replication.writes.Pending;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log who this node is: its name, the number of this start, and the origins of its commands.
 *
 * <p>Once it is told, the log may know the origins no more: because another process has registered under the name, or
 * because the node was removed from the cluster. Then this node must stop. But if it was added again meanwhile, it
 * registers as a further start, with new origins: what it had sent under the old ones is not sent again, because it may
 * be applied already.
 *
 * <p>Confined to the first lane, but for what says otherwise.
 */
final class Registration {

    private static final Logger LOG = LoggerFactory.getLogger(Registration.class);

    private static final long AGAIN_MILLIS = 500;
    private static final int REFUSALS_A_LINE = 60;

    private final String name;
    private final LongSupplier furtherStart;
    private final LocalReads reads;
    private final LongSupplier random;
    private final Consumer<String> fatal;

    /** What is told next, while it is put together. */
    private final RegisterNode.Builder next;

    private List<Lane> lanes = List.of();
    private @Nullable Outbox large;

    /** How often it was refused in a row. */
    private int refusals;

    /** The index of the entry that holds it. */
    private long index;

    private volatile RegisterNode command = RegisterNode.getDefaultInstance();
    private volatile boolean done;

    /** Whether it is to be found out why the log knows an origin no more. */
    private final AtomicBoolean doubted = new AtomicBoolean();

    Registration(
            Replicator.Identity identity,
            LongSupplier furtherStart,
            int format,
            LocalReads reads,
            LongSupplier random,
            Consumer<String> fatal) {
        this.name = identity.name();
        this.furtherStart = furtherStart;
        this.reads = reads;
        this.random = random;
        this.fatal = fatal;
        this.next = RegisterNode.newBuilder()
                .setNode(name)
                .setFolder(identity.folder())
                .setStart(identity.start())
                .setFormat(format)
                .setStateBytesMax(reads.memory().own());
    }

    /** One more origin, which is registered with the others. */
    long newOrigin() {
        long origin = random.getAsLong() | 1;
        next.addOrigins(origin);
        return origin;
    }

    /**
     * Whose origins these are. Called once, before anything else.
     *
     * @param largeValues the outbox of the first lane from which large values are sent
     */
    void setSenders(List<Lane> all, Outbox largeValues) {
        lanes = all;
        large = largeValues;
        build();
    }

    private void build() {
        command = next.build();
        reads.clock().registersAs(command);
    }

    /** Whether the log knows this node's origins. Any thread. */
    boolean isDone() {
        return done;
    }

    /** Whether that is this node's, of this start. Any thread. */
    boolean isOwn(RegisterNode registration) {
        return registration.equals(command);
    }

    /** Sends it, again and again until it is taken. */
    void register() {
        CommandRecord.Builder record = CommandRecord.newBuilder().setRegisterNode(command);
        lanes.get(0).submitAnonymous(record, new Pending() {
            @Override
            public void onOutcome(Outcome outcome, long at) {
                if (outcome.kind() != Outcome.Kind.APPLIED) {
                    onRefused(outcome);
                    return;
                }
                LOG.debug("{} is registered at index {}", name, at);
                index = at;
                refusals = 0;
                done = true;
                doubted.set(false);
                lanes.forEach(lane -> lane.execute(lane::requestFlush));
            }

            @Override
            public void onFailure(ErrorCode code) {
                register();
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                register();
            }
        });
    }

    /** The leader could not confirm this node's identity, see {@link RegistrationCheck}. The node registers again. */
    private void onRefused(Outcome outcome) {
        if (refusals++ % REFUSALS_A_LINE == 0) {
            LOG.warn(
                    "the leader does not take this node as {}: {}",
                    name,
                    outcome.kind() == Outcome.Kind.BUSY
                            ? "nobody answers at the forwarding address that is " + name + "'s there"
                            : "another process answers at the forwarding address that is " + name
                                    + "'s there, or has registered since. Only one process may run as " + name);
        }
        lanes.get(0).after(TimeUnit.MILLISECONDS.toNanos(AGAIN_MILLIS), this::register);
    }

    /**
     * Looks whether the log still knows this node, also while no client writes through it. To be called now and then.
     */
    void check() {
        StateMachine state = reads.stateMachine();
        if (done && reads.appliedIndex() >= index && state.cluster().mayRegister(name) && !state.isRegistered(name)) {
            onUnknownOrigin();
        }
    }

    /** The log knows an origin of this node no more. Nothing is sent before it is known why. Any thread. */
    void onUnknownOrigin() {
        if (doubted.compareAndSet(false, true)) {
            done = false;
            Lane first = lanes.get(0);
            first.execute(() -> first.whenAllIsApplied(this::judge, new ReplyListener() {
                @Override
                public void onReply(Reply reply) {
                    stop("the cluster does not answer any more");
                }

                @Override
                public void onBroken(RuntimeException thrown) {
                    stop(String.valueOf(thrown));
                }
            }));
        }
    }

    /** This node has applied what made its origins unknown. */
    private void judge() {
        StateMachine state = reads.stateMachine();
        if (!state.cluster().mayRegister(name)) {
            stop("the node was removed from the cluster");
        } else if (state.isRegistered(name)) {
            stop("another process has registered under its name");
        } else {
            registerAnew();
        }
    }

    private void stop(String why) {
        fatal.accept("the cluster does not know this start of node " + name + " any more: " + why
                + ". A node that was removed can be started again once it was added again; only one process may run as "
                + name);
    }

    private void registerAnew() {
        LOG.info("{} was removed and added again: it registers anew", name);
        next.clearOrigins().setStart(furtherStart.getAsLong());
        List<CompletableFuture<Void>> renewed = new ArrayList<>();
        for (Lane lane : lanes) {
            long origin = newOrigin();
            renewed.add(CompletableFuture.runAsync(() -> lane.renew(origin), lane::execute));
        }
        Objects.requireNonNull(large).renew(newOrigin());
        build();
        CompletableFuture.allOf(renewed.toArray(new CompletableFuture<?>[0]))
                .thenRun(() -> lanes.get(0).execute(this::register));
    }
}
