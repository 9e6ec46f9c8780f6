package io.dshm.server.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator's request about members gets; the rest is seen in the tests with real processes. */
class AdminHandlerTest {

    private final TestNode node = new TestNode();

    private final EmbeddedChannel channel = new EmbeddedChannel(handler(null));

    private AdminHandler handler(@Nullable AdminToken token) {
        MetricsSource metrics =
                accept -> new MetricsSource.Scrape("text/" + accept, "a_metric 1\n".getBytes(StandardCharsets.UTF_8));
        return new AdminHandler(
                node, metrics, token, Runnable::run, Runnable::run, new LiveEvents(() -> "{}", System::nanoTime));
    }

    @AfterEach
    void nothing_is_left() {
        channel.finishAndReleaseAll();
    }

    private static FullHttpRequest request(HttpMethod method, String uri) {
        return new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, method, uri);
    }

    private static FullHttpRequest change(String uri) {
        FullHttpRequest request = request(HttpMethod.POST, uri);
        request.headers().set("Dshm-Operator", "test");
        return request;
    }

    /** Its status, and its body. */
    private String answer(FullHttpRequest request) {
        return answer(channel, request);
    }

    private static String answer(EmbeddedChannel asked, FullHttpRequest request) {
        asked.writeInbound(request);
        asked.runPendingTasks();
        FullHttpResponse response = asked.readOutbound();
        try {
            return response.status().code() + " " + response.content().toString(StandardCharsets.UTF_8);
        } finally {
            response.release();
        }
    }

    /** Each packet ends in the middle of a request: then Netty's handlers want to read on. */
    @Test
    void who_asks_on_and_does_not_take_the_answer_is_not_read() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        List<ChannelPromise> answers = new ArrayList<>();
        EmbeddedChannel asked = new EmbeddedChannel(false, false);
        asked.config().setAutoRead(false);
        asked.pipeline().addLast(new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext context) {
                reads.incrementAndGet();
            }

            @Override
            public void write(ChannelHandlerContext context, Object answer, ChannelPromise taken) {
                ReferenceCountUtil.release(answer);
                answers.add(taken);
            }
        });
        AdminListener.addTo(asked.pipeline(), handler(null));
        asked.register();
        String head = "GET /health HTTP/1.1\r\nContent-Length: 1\r\n\r\n";
        assertEquals(1, reads.get());
        send(asked, head);
        int before = reads.get();
        assertTrue(before > 1);
        send(asked, "x" + head);
        assertEquals(before, reads.get());
        assertEquals(1, answers.size());

        answers.get(0).setSuccess();
        asked.runPendingTasks();
        int after = reads.get();
        assertTrue(after > before);
        send(asked, "x" + head);
        assertEquals(after, reads.get());
        assertEquals(2, answers.size());
        asked.finishAndReleaseAll();
    }

    private static void send(EmbeddedChannel to, String text) {
        to.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
        to.runPendingTasks();
    }

    @Test
    void the_members_are_a_list_of_objects() {
        String answer = answer(request(HttpMethod.GET, "/cluster"));
        assertEquals("200 {\"members\":[{\"node\":\"n\\\"1\"}]}", answer.replaceAll("(?<!200)\\s", ""));
    }

    @Test
    void a_change_is_passed_on_with_its_subject() {
        assertTrue(answer(change("/cluster/add?member=n4%3D10.0.0.4%3A7321")).startsWith("200"));
        assertEquals(List.of("add n4=10.0.0.4:7321"), node.asked);
    }

    @Test
    void a_limit_is_traced_by_its_key() {
        assertEquals("200 {\"key\": \"api:a b\"}\n", answer(request(HttpMethod.GET, "/why?key=api%3Aa%20b")));
        assertTrue(answer(request(HttpMethod.GET, "/why?key=")).startsWith("400"));
        assertTrue(answer(request(HttpMethod.GET, "/why")).startsWith("400"));
    }

    @Test
    void keys_are_shown_to_whom_the_data_is() {
        assertEquals("200 {\"keys\": [{\"api:42\": 7}]}\n", answer(request(HttpMethod.GET, "/hot")));
    }

    @Test
    void a_limit_of_a_region_is_passed_on() {
        assertTrue(answer(change("/region?name=r&bytes=1000&policy=evict")).startsWith("200"));
        assertTrue(answer(change("/region?name=r&bytes=-1&policy=evict")).startsWith("400"));
        assertEquals(List.of("r 1000 true"), node.asked);
    }

    @Test
    void what_a_browser_can_be_made_to_send_changes_nothing() {
        assertTrue(answer(request(HttpMethod.POST, "/cluster/remove?member=n1")).startsWith("403"));
        assertTrue(answer(request(HttpMethod.GET, "/cluster/remove?member=n1")).startsWith("404"));
        assertTrue(answer(request(HttpMethod.POST, "/region?name=r&bytes=1&policy=evict"))
                .startsWith("403"));
        assertTrue(answer(request(HttpMethod.GET, "/region?name=r&bytes=1&policy=evict"))
                .startsWith("404"));
        assertTrue(answer(request(HttpMethod.POST, "/status")).startsWith("405"));
        assertEquals(List.of(), node.asked);
    }

    @Test
    void a_refusal_says_why_also_to_programs() {
        node.refusal = new RefusedException(RefusedException.NOT_LEADER, "n2 leads: ask it");
        String answer = answer(change("/cluster/remove?member=n1"));
        assertTrue(answer.startsWith("409"), answer);
        assertTrue(answer.contains("\"error\": \"not_leader\""), answer);
        assertTrue(answer.contains("\"message\": \"n2 leads: ask it\""), answer);
    }

    @Test
    void a_node_is_ready_when_nothing_speaks_against_it_and_alive_unless_it_hangs() {
        assertEquals("200 ok\n", answer(request(HttpMethod.GET, "/readyz")));
        node.problems = List.of("no leader is known", "not up to date");
        assertEquals("503 no leader is known\nnot up to date\n", answer(request(HttpMethod.GET, "/readyz")));
        assertEquals("503 no leader is known\n", answer(request(HttpMethod.GET, "/health")));
        assertEquals("200 ok\n", answer(request(HttpMethod.GET, "/livez")));
        node.hang = "a thread hangs";
        assertEquals("503 a thread hangs\n", answer(request(HttpMethod.GET, "/livez")));
    }

    /** It is a part of a request, or of a TLS handshake. */
    @Test
    void a_round_of_reading_that_brings_no_request_is_followed_by_another() throws Exception {
        EmbeddedChannel accepted = new EmbeddedChannel(
                DefaultChannelId.newInstance(), false, false, new FlowControlHandler(), handler(null));
        accepted.config().setAutoRead(false);
        accepted.register();
        accepted.pipeline().fireChannelReadComplete();
        assertEquals("200 ok\n", answer(accepted, request(HttpMethod.GET, "/livez")));
        accepted.finishAndReleaseAll();
    }

    @Test
    void metrics_come_in_the_format_that_the_client_takes() {
        FullHttpRequest scrape = request(HttpMethod.GET, "/metrics");
        scrape.headers().set("Accept", "x-format");
        channel.writeInbound(scrape);
        FullHttpResponse response = channel.readOutbound();
        assertEquals("text/x-format", response.headers().get("Content-Type"));
        assertEquals("a_metric 1\n", response.content().toString(StandardCharsets.UTF_8));
        response.release();
    }

    @Test
    void with_a_token_only_monitors_are_answered_without_it(@TempDir Path folder) throws IOException {
        String secret = "0123456789abcdef";
        Path file = Files.writeString(folder.resolve("token"), secret + "\n");
        EmbeddedChannel guarded = new EmbeddedChannel(handler(AdminToken.read(file)));
        for (String path : List.of("/livez", "/readyz?verbose", "/health")) {
            assertEquals("200 ok\n", answer(guarded, request(HttpMethod.GET, path)));
        }
        for (String path : List.of(
                "/",
                "/events",
                "/page.js",
                "/metrics",
                "/status",
                "/snapshot",
                "/cluster",
                "/digest",
                "/hot",
                "/nothing")) {
            assertTrue(answer(guarded, request(HttpMethod.GET, path)).startsWith("401"), path);
        }
        assertTrue(answer(guarded, change("/cluster/remove?member=n1")).startsWith("401"));
        assertEquals(List.of(), node.asked);
        String basic = Base64.getEncoder().encodeToString(("me:" + secret).getBytes(StandardCharsets.UTF_8));
        for (String right : List.of("Bearer " + secret, "bearer " + secret, "Basic " + basic)) {
            FullHttpRequest request = request(HttpMethod.GET, "/status");
            request.headers().set("Authorization", right);
            assertTrue(answer(guarded, request).startsWith("200"), right);
        }
        for (String wrong : List.of("Bearer " + secret + "0", "Bearer", "Basic !", "Basic " + secret, secret, "")) {
            FullHttpRequest request = request(HttpMethod.GET, "/status");
            request.headers().set("Authorization", wrong);
            assertTrue(answer(guarded, request).startsWith("401"), wrong);
        }
        guarded.finishAndReleaseAll();
    }

    private static FullHttpRequest by(String user, byte[] secret, FullHttpRequest request) {
        byte[] name = (user + ":").getBytes(StandardCharsets.UTF_8);
        byte[] both = Arrays.copyOf(name, name.length + secret.length);
        System.arraycopy(secret, 0, both, name.length, secret.length);
        request.headers().set("Authorization", "Basic " + Base64.getEncoder().encodeToString(both));
        return request;
    }

    @Test
    void where_a_user_is_required_one_is_needed_without_a_token_too() {
        node.requiresUser = true;
        EmbeddedChannel channel = new EmbeddedChannel(handler(null));
        assertEquals("200 ok\n", answer(channel, request(HttpMethod.GET, "/health")));
        assertTrue(answer(channel, request(HttpMethod.GET, "/status")).startsWith("401"));
        assertTrue(answer(channel, change("/cluster/remove?member=n1")).startsWith("401"));
        assertTrue(answer(channel, by("root", new byte[] {'r'}, request(HttpMethod.GET, "/status")))
                .startsWith("401"));
        assertTrue(answer(channel, by("", TestNode.SECRET, request(HttpMethod.GET, "/status")))
                .startsWith("401"));
        assertEquals(List.of(), node.asked);
        assertTrue(answer(channel, by("root", TestNode.SECRET, request(HttpMethod.GET, "/status")))
                .startsWith("200"));
        assertTrue(answer(channel, by("root", TestNode.SECRET, change("/cluster/remove?member=n1")))
                .startsWith("200"));
        channel.finishAndReleaseAll();
    }

    @Test
    void a_node_that_does_not_know_its_users_yet_changes_and_shows_nothing_without_the_token(@TempDir Path folder)
            throws IOException {
        String secret = "0123456789abcdef";
        Path file = Files.writeString(folder.resolve("token"), secret);
        EmbeddedChannel guarded = new EmbeddedChannel(handler(AdminToken.read(file)));
        List<String> shows = List.of("/hot", "/why?key=k", "/users", "/snapshot", "/events");
        node.knowsUsers = false;
        for (String path : List.of("/", "/status", "/metrics", "/cluster", "/health", "/livez", "/readyz")) {
            assertTrue(answer(request(HttpMethod.GET, path)).startsWith("200"), path);
        }
        for (String path : shows) {
            assertTrue(answer(request(HttpMethod.GET, path)).startsWith("503 starting"), path);
            // Perhaps he has lost his rights since.
            FullHttpRequest asked = by("root", TestNode.SECRET, request(HttpMethod.GET, path));
            assertTrue(answer(guarded, asked).startsWith("503 starting"), path);
            assertTrue(answer(guarded, request(HttpMethod.GET, path)).startsWith("401"), path);
        }
        assertTrue(answer(change("/users/add?name=me")).startsWith("503 starting"));
        assertTrue(answer(guarded, by("root", TestNode.SECRET, change("/cluster/remove?member=n1")))
                .startsWith("503 starting"));
        assertEquals(List.of(), node.asked);
        FullHttpRequest holder = request(HttpMethod.GET, "/users");
        holder.headers().set("Authorization", "Bearer " + secret);
        assertTrue(answer(guarded, holder).startsWith("200"));
        FullHttpRequest change = change("/cluster/remove?member=n1");
        change.headers().set("Authorization", "Bearer " + secret);
        assertTrue(answer(guarded, change).startsWith("200"));

        node.knowsUsers = true;
        for (String path : shows.subList(0, 3)) {
            assertTrue(answer(request(HttpMethod.GET, path)).startsWith("200"), path);
        }
        assertTrue(answer(change("/users/add?name=me")).startsWith("200"));
        guarded.finishAndReleaseAll();
    }

    @Test
    void a_change_is_not_made_for_who_was_admitted_by_what_a_lagging_node_knew() {
        node.requiresUserMeanwhile = true;
        assertTrue(answer(change("/users/add?name=me")).startsWith("401"));
        assertEquals(List.of(), node.asked);
        assertTrue(answer(by("root", TestNode.SECRET, change("/cluster/remove?member=n1")))
                .startsWith("200"));
        assertEquals(1, node.asked.size());
        node.noLeader = new IOException("no leader");
        assertEquals("503 no leader\n", answer(by("root", TestNode.SECRET, change("/cluster/remove?member=n2"))));
        assertEquals(1, node.asked.size());
        assertTrue(answer(by("root", TestNode.SECRET, change("/tls/reload"))).startsWith("200"));
    }

    @Test
    void a_file_without_a_proper_token_is_refused(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("token");
        for (String bad : List.of("", "short", "0123456789abcdef 0", "0123456789abcdef\u00e9", "x".repeat(5000))) {
            Files.writeString(file, bad);
            IOException refused = assertThrows(IOException.class, () -> AdminToken.read(file));
            assertTrue(String.valueOf(refused.getMessage()).contains("admin-token-file"), refused::toString);
        }
    }

    /** What a client gets that takes such formats. */
    private FullHttpResponse page(String uri, String accept) {
        FullHttpRequest request = request(HttpMethod.GET, uri);
        request.headers().set("Accept", accept);
        channel.writeInbound(request);
        channel.runPendingTasks();
        return channel.readOutbound();
    }

    @Test
    void a_browser_gets_the_page_and_other_programs_the_list_of_paths() {
        FullHttpResponse page = page("/", "text/html,application/xhtml+xml,*/*;q=0.8");
        assertEquals("text/html; charset=utf-8", page.headers().get("Content-Type"));
        assertTrue(page.content().toString(StandardCharsets.UTF_8).startsWith("<!DOCTYPE html>"));
        page.release();
        FullHttpResponse list = page("/", "*/*");
        assertEquals("text/plain; charset=utf-8", list.headers().get("Content-Type"));
        assertEquals("accept", list.headers().get("Vary"));
        list.release();
    }

    @Test
    void the_page_runs_no_script_of_its_own_text_and_asks_no_other_host() {
        for (String path : List.of("/", "/page.js", "/plots.js", "/page.css")) {
            FullHttpResponse file = page(path, "text/html");
            assertEquals(200, file.status().code(), path);
            String policy = file.headers().get("Content-Security-Policy");
            assertTrue(policy.startsWith("default-src 'none'; script-src 'self'; "), policy);
            assertFalse(policy.contains("unsafe"), policy);
            assertTrue(policy.contains("frame-ancestors 'none'"), policy);
            assertEquals("nosniff", file.headers().get("X-Content-Type-Options"));
            String text = file.content().toString(StandardCharsets.UTF_8);
            assertFalse(text.contains("//") && text.contains("http"), path + " names another host");
            assertFalse(text.matches("(?s).*(<style| style=| on[a-z]+=\"|innerHTML|<script>).*"), path);
            file.release();
        }
    }
}
