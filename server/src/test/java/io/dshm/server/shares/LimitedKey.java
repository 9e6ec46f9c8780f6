package io.dshm.server.shares;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.store.limiters.Account;
import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.GrantedShare;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.Taking;
import io.dshm.server.store.limiters.TokenLimiter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** One key of a cluster in virtual time: its limiter, as the log has it, and nodes that take of it. */
final class LimitedKey {

    static final Key KEY = Key.of("k");

    /** One way, between a node and the log. */
    private static final long TRAVEL_NANOS = 1_000_000;

    private static final long START_NANOS = 600_000L * 1_000_000;

    private record Task(long nanos, long number, Runnable work) {}

    final Policy policy;
    private final Quota quota;
    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparingLong(Task::nanos).thenComparingLong(Task::number));
    private TokenLimiter limiter;
    private long nanos = START_NANOS;
    private long taskNumber;

    /** Whether the log answers. */
    boolean answers = true;

    /** When each token was admitted, in milliseconds. */
    final List<Long> admitted = new ArrayList<>();

    final List<Command.Write> records = new ArrayList<>();

    LimitedKey(Policy policy) {
        this.policy = policy;
        this.quota = new Quota(policy.limit(), policy.periodMillis(), policy.burst());
        this.limiter = Algorithm.valueOf(policy.algorithm().name()).fresh(quota, millis());
    }

    long nanos() {
        return nanos;
    }

    long millis() {
        return nanos / 1_000_000;
    }

    long remaining() {
        return limiter.remainingAt(millis());
    }

    /** A node, by its own clock. */
    final class Node implements Shares.Cluster {

        final Shares shares;
        long decided;
        long fromShare;

        /** How much its clock is ahead. */
        long aheadNanos;

        Node(long number) {
            this.shares = new Shares(this, () -> nanos + aheadNanos, number);
        }

        /** Asks for tokens; whether they came from a share. */
        boolean take(long cost) {
            Command.Take take = new Command.Take(KEY, policy, null, cost, false, true);
            decided++;
            if (shares.take(take, 0) != null) {
                fromShare++;
                admit(cost);
                return true;
            }
            submit(take, 0, reply -> {});
            return false;
        }

        @Override
        public void submit(Command.Write write, long credential, ReplyListener listener) {
            LimitedKey.this.after(TRAVEL_NANOS, () -> {
                Reply reply = answers ? apply(write) : new Reply.Failure(ErrorCode.TIMEOUT, null);
                LimitedKey.this.after(TRAVEL_NANOS, () -> listener.onReply(reply));
            });
        }

        @Override
        public void after(long delayNanos, Runnable task) {
            LimitedKey.this.after(delayNanos, task);
        }

        @Override
        public @Nullable Policy policy(Key key) {
            return policy;
        }
    }

    private void admit(long cost) {
        for (long token = 0; token < cost; token++) {
            admitted.add(millis());
        }
    }

    private Reply apply(Command.Write write) {
        records.add(write);
        if (write instanceof Command.Take take) {
            Taking taking = limiter.take(quota, millis(), take.cost());
            Decision decision = Objects.requireNonNull(taking.decision());
            limiter = taking.after();
            if (decision.allowed()) {
                admit(take.cost());
            }
            return new Reply.Detailed(null, "allowed=" + (decision.allowed() ? 1 : 0));
        } else if (write instanceof Command.Grant grant) {
            long want = grant.take().cost();
            Account.Granting granting = Objects.requireNonNull(
                    Account.of(limiter).grant(quota, millis(), grant.holder().bytes(), want, grant.min()));
            GrantedShare share = granting.share();
            limiter = share.granted() == 0 ? limiter : granting.after();
            return new Reply.Detailed(
                    null,
                    "granted=" + share.granted() + " limit=" + share.limit() + " remaining=" + share.remaining()
                            + " life=" + share.lifeMillis());
        }
        Command.Return giveBack = (Command.Return) write;
        limiter = Account.of(limiter).giveBack(millis(), giveBack.holder().bytes(), giveBack.unused());
        return Reply.Done.DONE;
    }

    private void after(long delayNanos, Runnable work) {
        tasks.add(new Task(nanos + Math.max(0, delayNanos), taskNumber++, work));
    }

    /** Lets the time go on, and happen what is due. */
    void pass(long passNanos) {
        long until = nanos + passNanos;
        for (Task next = tasks.peek(); next != null && next.nanos() <= until; next = tasks.peek()) {
            tasks.remove();
            nanos = next.nanos();
            next.work().run();
        }
        nanos = until;
    }

    /** The most that was admitted in any window as long as the period. */
    long mostInAWindow() {
        long most = 0;
        int from = 0;
        for (int to = 0; to < admitted.size(); to++) {
            while (admitted.get(to) - admitted.get(from) >= policy.periodMillis()) {
                from++;
            }
            most = Math.max(most, to - from + 1);
        }
        return most;
    }

    long admittedIn(long fromMillis, long toMillis) {
        return admitted.stream().filter(at -> at >= fromMillis && at < toMillis).count();
    }

    static String text(Key key) {
        return new String(key.bytes(), StandardCharsets.US_ASCII);
    }
}
