package io.dshm.server.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.MessageLite;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The way to another member over real connections. */
@Timeout(60)
class MemberLinkTest {

    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final int MIB = 1024 * 1024;

    private final LoopbackMembers members = new LoopbackMembers("n1", "n2");

    /** For which no time passes: it waits for answers for ever. */
    private final CallServer server = new CallServer(new UnansweredCalls.Total(4 * MIB), () -> 0);

    private final BlockingQueue<CallServer.Call> calls = new LinkedBlockingQueue<>();
    private final BlockingQueue<MemberLink.Speech> known = new LinkedBlockingQueue<>();
    private final MemberLink link =
            new MemberLink("n2", members.dialer("n1"), new TestMessages(), MIB, () -> known.add(speech()));

    private MemberLink.Speech speech() {
        return link.speech();
    }

    @AfterEach
    void end() throws InterruptedException {
        link.close();
        members.close();
    }

    private void connect() throws IOException, InterruptedException {
        server.open(new TestMessages(), calls::add);
        members.listen("n2", server);
        assertEquals(MemberLink.Speech.CALLS, known.take());
    }

    private CompletableFuture<MessageLite> call(boolean large, MessageLite request, long timeoutMillis)
            throws IOException {
        CompletableFuture<MessageLite> done = new CompletableFuture<>();
        link.call(large, request, timeoutMillis, (answer, failure) -> {
            boolean first = failure == null ? done.complete(answer) : done.completeExceptionally(failure);
            if (!first) {
                done.obtrudeException(new AssertionError("answered twice"));
            }
        });
        return done;
    }

    private static @Nullable Throwable failureOf(CompletableFuture<MessageLite> done) {
        return assertThrows(ExecutionException.class, done::get).getCause();
    }

    @Test
    void every_request_gets_its_own_answer_whatever_the_order() throws Exception {
        connect();
        List<CompletableFuture<MessageLite>> done = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            done.add(call(i % 2 == 0, TestMessages.of("request " + i), HOUR_MILLIS));
        }
        List<CallServer.Call> taken = new ArrayList<>();
        while (taken.size() < done.size()) {
            taken.add(0, calls.take());
        }
        taken.forEach(call -> call.answer(call.request()));
        for (int i = 0; i < done.size(); i++) {
            assertEquals(TestMessages.of("request " + i), done.get(i).get());
        }
    }

    @Test
    void a_request_without_an_answer_times_out_and_a_late_answer_goes_to_nobody() throws Exception {
        connect();
        CompletableFuture<MessageLite> late = call(false, TestMessages.of("late"), 1);
        assertInstanceOf(TimeoutException.class, failureOf(late));
        CallServer.Call first = calls.take();
        CompletableFuture<MessageLite> next = call(false, TestMessages.of("next"), HOUR_MILLIS);
        first.answer(TestMessages.of("too late"));
        CallServer.Call second = calls.take();
        second.answer(second.request());
        assertEquals(TestMessages.of("next"), next.get());
        assertInstanceOf(TimeoutException.class, failureOf(late));
    }

    @Test
    void the_end_of_a_connection_fails_what_waits_and_another_one_is_made() throws Exception {
        connect();
        List<CompletableFuture<MessageLite>> lost = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            lost.add(call(i % 2 == 0, TestMessages.of("request " + i), HOUR_MILLIS));
        }
        calls.take().connection().close();
        for (CompletableFuture<MessageLite> each : lost) {
            assertInstanceOf(IOException.class, failureOf(each));
        }
        assertEquals(MemberLink.Speech.CALLS, known.take());
        calls.clear();
        CompletableFuture<MessageLite> again = call(true, TestMessages.of("again"), HOUR_MILLIS);
        CallServer.Call call = calls.take();
        call.answer(call.request());
        assertEquals(TestMessages.of("again"), again.get());
    }

    @Test
    void a_node_is_asked_again_until_it_takes_part() throws Exception {
        members.listen("n2", server);
        assertThrows(ExecutionException.class, () -> link.known().get());
        assertThrows(IOException.class, () -> call(false, TestMessages.of(1), HOUR_MILLIS));
        server.open(new TestMessages(), calls::add);
        assertEquals(MemberLink.Speech.CALLS, known.take());
    }

    @Test
    void a_node_of_format_1_is_not_called_and_is_asked_again_when_it_has_started_anew() throws Exception {
        List<ChannelHandlerContext> accepted = new ArrayList<>();
        members.listenAsFormat1("n2", new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                accepted.add(context);
                context.fireChannelActive();
            }
        });
        assertEquals(MemberLink.Speech.NO_CALLS, known.take());
        assertThrows(IOException.class, () -> call(false, TestMessages.of(1), HOUR_MILLIS));
        server.open(new TestMessages(), calls::add);
        members.listen("n2", server);
        accepted.forEach(ChannelHandlerContext::close);
        assertEquals(MemberLink.Speech.CALLS, known.take());
    }

    @Test
    void large_messages_that_nobody_takes_are_bounded_and_hold_up_no_small_one() throws Exception {
        connect();
        List<CompletableFuture<MessageLite>> waiting = new ArrayList<>();
        // More than half of what the other node lets wait: it reads no more from this connection.
        while (calls.size() < 4) {
            try {
                waiting.add(call(true, TestMessages.of(MIB / 2), HOUR_MILLIS));
            } catch (IOException faster) {
                Thread.onSpinWait();
            }
        }
        assertThrows(IOException.class, () -> {
            // Far more than both sides and the system's buffers hold together.
            for (int i = 0; i < 400; i++) {
                waiting.add(call(true, TestMessages.of(MIB / 2), HOUR_MILLIS));
            }
        });
        CompletableFuture<MessageLite> vote = call(false, TestMessages.of("a vote"), HOUR_MILLIS);
        List<CallServer.Call> large = new ArrayList<>();
        CallServer.Call call = calls.take();
        while (!call.request().equals(TestMessages.of("a vote"))) {
            large.add(call);
            call = calls.take();
        }
        call.answer(call.request());
        assertEquals(TestMessages.of("a vote"), vote.get());
        large.forEach(each -> each.answer(TestMessages.of(0)));
        for (int i = large.size(); i < waiting.size(); i++) {
            calls.take().answer(TestMessages.of(0));
        }
        for (CompletableFuture<MessageLite> each : waiting) {
            assertEquals(TestMessages.of(0), each.get());
        }
    }

    @Test
    void a_closed_link_fails_what_waits_and_connects_no_more() throws Exception {
        connect();
        CompletableFuture<MessageLite> lost = call(false, TestMessages.of(1), HOUR_MILLIS);
        link.close();
        assertInstanceOf(IOException.class, failureOf(lost));
        assertThrows(IOException.class, () -> call(false, TestMessages.of(1), HOUR_MILLIS));
    }
}
