package io.dshm.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.Result;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.rights.Users;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.store.Entry;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A follower's lane, its link to the leader played by the test. */
class LaneTest {

    private static final long PATIENCE_SECONDS = 20;

    /** Of all that is answered. */
    private static final long INDEX = 5;

    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    private final ClusterClock clock = new ClusterClock(System::nanoTime);
    private final FakeLog log = new FakeLog();
    private final LocalReads reads = new LocalReads(log.stateMachine, clock, System::nanoTime, 0);
    private final BlockingQueue<Forward> sent = new LinkedBlockingQueue<>();
    private final BlockingQueue<PeerLinks.Listener> opened = new LinkedBlockingQueue<>();
    private final BlockingQueue<Reply> replies = new LinkedBlockingQueue<>();

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    private Replicator start(PeerLinks links) {
        return start(reads, links);
    }

    private Replicator start(LocalReads reads, PeerLinks links) {
        Replicator replicator = TestReplicators.of(List.of(executor), log, links, reads, clock);
        replicator.start(clock, () -> false, () -> 0);
        return replicator;
    }

    private PeerLinks.Link newLink() {
        return new PeerLinks.Link() {
            @Override
            public void send(Forward forward) {
                sent.add(forward);
            }

            @Override
            public void close() {}
        };
    }

    private static <T> T await(BlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertNotNull(next, "nothing came");
        return next;
    }

    private void answer(PeerLinks.Listener listener, Forward forward) {
        ForwardReply.Builder reply = ForwardReply.newBuilder()
                .setOrigin(forward.getSettled().getOrigin())
                .setIndex(INDEX);
        for (CommandRecord record : forward.getRecordsList()) {
            reply.addResults(
                    Result.newBuilder().setSequence(record.getSequence()).setNumber(1));
        }
        executor.execute(() -> listener.onReply(reply.build()));
    }

    @Test
    void when_a_link_fails_before_it_is_open_then_another_one_is_opened() throws InterruptedException {
        AtomicInteger attempts = new AtomicInteger();
        Replicator replicator = start((node, lane, listener) -> {
            if (attempts.incrementAndGet() <= 2) {
                listener.onClosed();
            } else {
                opened.add(listener);
            }
            return newLink();
        });
        replicator.onLeadership(new Leadership(1, "n2", false));
        PeerLinks.Listener listener = await(opened);
        executor.execute(listener::onOpen);
        assertTrue(await(sent).getRecords(0).hasRegisterNode());
        assertEquals(3, attempts.get());
    }

    @Test
    void when_an_entry_is_due_then_a_linearizable_read_has_the_time_logged_before_its_answer()
            throws InterruptedException {
        Replicator replicator = start((node, lane, listener) -> {
            opened.add(listener);
            return newLink();
        });
        Lane lane = replicator.lane(executor);
        reads.onCaughtUp();
        Key key = Key.of("k");
        clock.hear(10_000, 1, true);
        log.stateMachine.store().put(key.bytes(), key.hash(), Entry.of(new byte[] {'1'}, 10_000, 1));
        replicator.onLeadership(new Leadership(1, "n2", false));
        PeerLinks.Listener link = await(opened);
        executor.execute(link::onOpen);
        answer(link, await(sent));

        executor.execute(() -> lane.readLinearizable(new Command.Get(key), replies::add));
        confirmRounds(lane);
        Forward time = await(sent);
        assertTrue(time.getRecords(0).hasLogTime());
        answer(link, time);
        executor.execute(() -> assertTrue(replies.isEmpty(), "the entry that logs the time is not applied here yet"));
        log.stateMachine.apply(
                INDEX,
                ByteBuffer.wrap(
                        LogEntry.newBuilder().setStampMillis(10_000).build().toByteArray()));
        reads.onApplied(INDEX);
        replicator.onAppliedBatch();
        assertEquals(Reply.Failure.NOT_FOUND, await(replies));
    }

    @Test
    void before_a_node_knows_the_time_a_linearizable_read_waits() throws InterruptedException {
        Replicator replicator = start((node, lane, listener) -> newLink());
        Lane lane = replicator.lane(executor);
        reads.onCaughtUp();
        executor.execute(() -> lane.readLinearizable(new Command.Get(Key.of("k")), replies::add));
        confirmRounds(lane);
        executor.execute(() -> assertTrue(replies.isEmpty(), "a deadline may have passed that nobody has logged"));
        executor.execute(() -> clock.hear(10_000, 1, true));
        assertEquals(Reply.Failure.NOT_FOUND, await(replies));
    }

    /** All questions so far, and those that come of the answers. */
    private void confirmRounds(Lane lane) {
        executor.execute(() -> {
            while (!log.questions.isEmpty()) {
                log.questions.remove().confirmed();
            }
            lane.executor().execute(() -> {
                if (!log.questions.isEmpty()) {
                    confirmRounds(lane);
                }
            });
        });
    }

    @Test
    void when_a_node_without_a_leader_may_not_show_old_data_then_a_local_read_is_refused() throws InterruptedException {
        clock.hear(10_000, 1, true);
        LocalReads bounded = new LocalReads(log.stateMachine, clock, System::nanoTime, 100);
        bounded.onCaughtUp();
        Replicator replicator = start(bounded, (node, lane, listener) -> newLink());
        Lane lane = replicator.lane(executor);
        executor.execute(() -> lane.awaitRead(new Command.Get(Key.of("k")), replies::add));
        assertEquals(ErrorCode.NO_LEADER, ((Reply.Failure) await(replies)).code());

        replicator.onLeadership(new Leadership(1, "n2", false));
        executor.execute(() -> lane.awaitRead(new Command.Get(Key.of("k")), replies::add));
        confirmRounds(lane);
        assertEquals(Reply.Failure.NOT_FOUND, await(replies), "it is confirmed first where somebody leads");
    }

    @Test
    void a_node_registers_first_and_sends_everything_again_to_the_next_leader() throws InterruptedException {
        Replicator replicator = start((node, lane, listener) -> {
            opened.add(listener);
            return newLink();
        });
        Lane lane = replicator.lane(executor);
        executor.execute(() -> lane.submit(new Command.Incr(Key.of("k"), 1, 0, 0), Users.NOBODY, replies::add));
        replicator.onLeadership(new Leadership(1, "n2", false));
        PeerLinks.Listener first = await(opened);
        executor.execute(first::onOpen);
        Forward registration = await(sent);
        assertTrue(registration.getRecords(0).hasRegisterNode());
        answer(first, registration);
        Forward command = await(sent);
        assertEquals(1, command.getTerm());
        assertTrue(command.getRecords(0).hasIncr());

        replicator.onLeadership(new Leadership(2, "n3", false));
        PeerLinks.Listener second = await(opened);
        executor.execute(second::onOpen);
        Forward again = await(sent);
        assertEquals(2, again.getTerm());
        assertEquals(command.getRecords(0), again.getRecords(0), "under the same number");
        answer(second, again);
        assertEquals(new Reply.IntegerValue(1), await(replies));
    }

    @Test
    void who_comes_back_from_within_a_reply_does_not_deepen_the_stack() throws InterruptedException {
        clock.hear(10_000, 1, true);
        reads.onCaughtUp();
        Replicator replicator = start((node, lane, listener) -> newLink());
        Lane lane = replicator.lane(executor);
        Command.Get get = new Command.Get(Key.of("k"));
        executor.execute(() -> comeBack(50_000, listener -> lane.awaitRead(get, listener)));
        assertEquals(Reply.Failure.NOT_FOUND, await(replies));

        replicator.drain();
        Command.Incr incr = new Command.Incr(Key.of("k"), 1, 0, 0);
        executor.execute(() -> comeBack(50_000, listener -> lane.submit(incr, Users.NOBODY, listener)));
        assertEquals(ErrorCode.SHUTTING_DOWN, ((Reply.Failure) await(replies)).code());
    }

    /** Asks so often, each time from within the reply. */
    private void comeBack(int times, Consumer<ReplyListener> ask) {
        ask.accept(reply -> {
            if (times == 1) {
                replies.add(reply);
            } else {
                comeBack(times - 1, ask);
            }
        });
    }

    @Test
    void what_one_reader_throws_is_no_loss_of_the_others() throws InterruptedException {
        Replicator replicator = start((node, lane, listener) -> newLink());
        Lane lane = replicator.lane(executor);
        Command.Get get = new Command.Get(Key.of("k"));
        BlockingQueue<String> broken = new LinkedBlockingQueue<>();
        executor.execute(() -> {
            lane.awaitRead(get, new ReplyListener() {
                @Override
                public void onReply(Reply reply) {
                    throw new IllegalStateException("planted");
                }

                @Override
                public void onBroken(RuntimeException thrown) {
                    broken.add(String.valueOf(thrown.getMessage()));
                }
            });
            lane.awaitRead(get, replies::add);
        });
        executor.execute(() -> clock.hear(10_000, 1, true));
        executor.execute(reads::onCaughtUp);
        replicator.onAppliedBatch();
        assertEquals("planted", await(broken));
        assertEquals(Reply.Failure.NOT_FOUND, await(replies));
    }
}
