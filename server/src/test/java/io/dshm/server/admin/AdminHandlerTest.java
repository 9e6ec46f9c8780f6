package io.dshm.server.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an operator's request about members gets; the rest is seen in the tests with real processes. */
class AdminHandlerTest {

    private final List<String> asked = new ArrayList<>();
    private @Nullable RefusedException refusal;

    private final NodeInfo node = new NodeInfo() {
        @Override
        public @Nullable String problem() {
            return null;
        }

        @Override
        public Map<String, Object> status() {
            return Map.of();
        }

        @Override
        public Map<String, Object> digest() {
            return Map.of();
        }

        @Override
        public List<Map<String, Object>> regions() {
            return List.of();
        }

        @Override
        public void limitRegion(String name, long bytesMax, boolean evicts) {
            asked.add(name + " " + bytesMax + " " + evicts);
        }

        @Override
        public void backup(boolean confirmed, OutputStream out) {}

        @Override
        public Map<String, Object> members() {
            return Map.of("members", List.of(Map.of("node", "n\"1")));
        }

        @Override
        public String changeMembers(String action, String subject) throws RefusedException {
            asked.add(action + " " + subject);
            if (refusal != null) {
                throw refusal;
            }
            return "done";
        }
    };

    private final EmbeddedChannel channel = new EmbeddedChannel(new AdminHandler(node, Runnable::run, Runnable::run));

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
        channel.writeInbound(request);
        channel.runPendingTasks();
        FullHttpResponse response = channel.readOutbound();
        try {
            return response.status().code() + " " + response.content().toString(StandardCharsets.UTF_8);
        } finally {
            response.release();
        }
    }

    @Test
    void the_members_are_a_list_of_objects() {
        String answer = answer(request(HttpMethod.GET, "/cluster"));
        assertEquals("200 {\"members\":[{\"node\":\"n\\\"1\"}]}", answer.replaceAll("(?<!200)\\s", ""));
    }

    @Test
    void a_change_is_passed_on_with_its_subject() {
        assertTrue(answer(change("/cluster/add?member=n4%3D10.0.0.4%3A7321")).startsWith("200"));
        assertEquals(List.of("add n4=10.0.0.4:7321"), asked);
    }

    @Test
    void a_limit_of_a_region_is_passed_on() {
        assertTrue(answer(change("/region?name=r&bytes=1000&policy=evict")).startsWith("200"));
        assertTrue(answer(change("/region?name=r&bytes=-1&policy=evict")).startsWith("400"));
        assertEquals(List.of("r 1000 true"), asked);
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
        assertEquals(List.of(), asked);
    }

    @Test
    void a_refusal_says_why_also_to_programs() {
        refusal = new RefusedException(RefusedException.NOT_LEADER, "n2 leads: ask it");
        String answer = answer(change("/cluster/remove?member=n1"));
        assertTrue(answer.startsWith("409"), answer);
        assertTrue(answer.contains("\"error\": \"not_leader\""), answer);
        assertTrue(answer.contains("\"message\": \"n2 leads: ask it\""), answer);
    }
}
