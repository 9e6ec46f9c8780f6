package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Algorithm;
import io.dshm.proto.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/**
 * What operators see of real nodes: a real Prometheus that scrapes them, and their page in a real browser. Pictures of the page are left in
 * {@code target/screenshots}.
 */
@Tag("long")
class PageIT {

    private static final int PHONE_WIDTH = 375;

    /** All texts of the page that have too little contrast with what is behind them, by the rule of WCAG AA. */
    private static final String TOO_FAINT = """
            const light = color => {
              const [r, g, b] = color.match(/[0-9.]+/g).map(part => {
                const value = part / 255;
                return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
              });
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const behind = element => {
              const color = getComputedStyle(element).backgroundColor;
              return color === 'rgba(0, 0, 0, 0)' && element.parentElement ? behind(element.parentElement) : color;
            };
            return [...document.querySelectorAll('body *')]
              .filter(element => element.checkVisibility() && [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
              .filter(element => {
                const [less, more] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
                return (more + 0.05) / (less + 0.05) < 4.5;
              })
              .map(element => element.outerHTML);
            """;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    Path folder;

    @BeforeEach
    void requirePrograms() {
        assumeTrue(Chromium.isInstalled(), "there is no chromium, or chromium-driver");
    }

    @Test
    void when_the_leader_dies_the_alert_fires_and_the_page_tells_so_until_the_node_is_back()
            throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(PrometheusProcess.EXECUTABLE), "there is no Prometheus");
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess stays = cluster.others(leader).get(0);
        try (PrometheusProcess prometheus = new PrometheusProcess(folder, cluster.nodes());
                Increments load = Increments.start(stays, "visits:all", 3);
                Chromium browser = new Chromium();
                Chromium leaders = new Chromium()) {
            refuseSome(stays);
            browser.open(stays);
            leaders.open(leader);
            Await.until(
                    "all are scraped", () -> prometheus.value("sum(dshm_ready)").equals("3"));
            assertEquals("1", prometheus.value("sum(dshm_raft_is_leader)"));
            Await.until(
                    "no alert of the start fires any more",
                    () -> prometheus.value("ALERTS{alertstate=\"firing\"}").isEmpty());
            assertEquals(3, leaders.count("#nodes tr"));
            Await.until(
                    "the leader's page says that all answer",
                    () -> leaders.text("state").equals("ready, it leads")
                            && leaders.text("nodes").split("answers", -1).length == 3);
            assertFalse(leaders.element("wrong").isDisplayed(), () -> leaders.text("problems"));
            assertTrafficIsShown(browser);
            browser.takeScreenshot("healthy");
            assertEquals(List.of(), browser.wrong());

            String itsAlert = "{alertname=\"DshmNodeDown\",instance=\"" + PrometheusProcess.instance(leader) + "\"}";
            long term = cluster.term();
            leader.kill();
            Await.until("the alert fires", () -> prometheus.fires(itsAlert));
            Await.until(
                    "another node leads",
                    () -> prometheus.value("sum(dshm_raft_is_leader)").equals("1"));
            assertTrue(Long.parseLong(prometheus.value("max(dshm_raft_term)")) > term);
            assertFalse(prometheus.fires("{alertname=\"DshmMajorityLost\"}"));
            NodeProcess next = cluster.awaitLeader();
            String news = next == stays ? stays.name() + " leads in term " : stays.name() + " follows " + next.name();
            Await.until(
                    "the open page tells of the election",
                    () -> browser.text("events").contains(news));
            Await.until(
                    "the page of the dead node says so",
                    () -> leaders.text("state").startsWith("this node does not answer"));
            leaders.open(next);
            Await.until(
                    "the next leader's page shows who is dead",
                    () -> leaders.text("nodes").contains("does not answer"));
            assertTrue(leaders.text("problems").contains(leader.name() + " not answering"), leaders.text("problems"));
            assertEquals("ready, it leads; something needs attention", leaders.text("state"));
            leaders.takeScreenshot("dead-node");
            assertEquals(List.of(), browser.wrong());

            leader.start();
            Await.until("the alert is over", () -> !prometheus.fires(itsAlert));
            Await.until("the page is content", () -> leaders.text("state").equals("ready, it leads"));
            assertFalse(leaders.element("wrong").isDisplayed(), () -> leaders.text("problems"));
            assertFalse(load.stop().values().isEmpty());
        }
    }

    private static void refuseSome(NodeProcess node) throws IOException {
        try (DshmConnection connection = node.connect()) {
            for (int i = 0; i < 5; i++) {
                connection.take("api:42", Policy.of(Algorithm.LOG, 2, Duration.ofMinutes(1)), 1);
            }
            connection.set("sessions:b7c1", new byte[2048], Duration.ofMinutes(30));
        }
    }

    /** Rates, times, keys and refusals, as they come from the node. */
    private static void assertTrafficIsShown(Chromium browser) throws InterruptedException {
        Await.until(
                "times are shown",
                () -> browser.text("times").matches("(?s).*\\bincr [1-9].*[mµ]s.*log to the disk.*"));
        assertTrue(
                browser.text("time-text").matches(".*writes \\(dashed line\\), now [0-9.]+ .?s\\."),
                browser.text("time-text"));
        assertTrue(browser.text("keys").isEmpty(), "keys are shown to nobody who has not asked for them");
        browser.element("keys-show").sendKeys(Keys.SPACE);
        Await.until("the hottest key is shown", () -> browser.text("keys").startsWith("visits:all "));
        assertTrue(browser.text("refused").contains("api:42 3"), browser.text("refused"));
        browser.run("document.querySelector('#refused button').click()");
        Await.until("a refusal is explained", () -> browser.text("why-limit").startsWith("log: 2 in 60 s, 0 left"));
    }

    @Test
    void the_page_works_without_a_leader() throws IOException, InterruptedException {
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess leader = cluster.awaitLeader();
        try (Chromium browser = new Chromium()) {
            browser.open(leader);
            for (NodeProcess other : cluster.others(leader)) {
                other.kill();
            }
            Await.until("nobody leads", () -> browser.text("state").startsWith("not ready: no leader"));
            assertTrue(browser.text("problems").contains("When a node, or its data, is lost"));
            browser.element("keys-show").sendKeys(Keys.SPACE);
            Await.until("keys are answered", () -> browser.text("refused").equals("nothing was refused"));
            cluster.others(leader).get(0).start();
            Await.until("the majority is back", () -> browser.text("state").startsWith("ready"));
            assertEquals(List.of(), browser.wrong());
        }
    }

    @Test
    void the_page_is_used_by_keyboard_read_aloud_and_in_the_dark() throws IOException, InterruptedException {
        NodeProcess node = processes.newNode();
        node.start();
        node.awaitHealthy();
        try (Chromium browser = new Chromium()) {
            browser.open(node);
            browser.focused().sendKeys(Keys.TAB);
            assertEquals("To the content", browser.focused().getText());
            browser.focused().sendKeys(Keys.ENTER);
            assertEquals("main", browser.focused().getAttribute("id"));
            browser.focused().sendKeys(Keys.TAB);
            assertEquals("keys-show", browser.focused().getAttribute("id"));
            browser.focused().sendKeys(Keys.ENTER);
            assertEquals("true", browser.focused().getAttribute("aria-expanded"));
            browser.focused().sendKeys(Keys.TAB);
            assertEquals("why-key", browser.focused().getAttribute("id"));
            browser.focused().sendKeys("api:42" + Keys.ENTER);
            Await.until(
                    "the limit is explained", () -> browser.text("why-limit").startsWith("Nothing is used of it now."));
            assertIsReadAloud(browser);
            assertEquals(List.of(), browser.run(TOO_FAINT));
            browser.setDark(true);
            assertEquals("rgb(13, 17, 23)", browser.run("return getComputedStyle(document.body).backgroundColor"));
            assertEquals(List.of(), browser.run(TOO_FAINT));
            browser.takeScreenshot("dark");
            assertEquals(List.of(), browser.wrong());
            // What the page's policy forbids would have been seen.
            browser.run("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:1/'}))");
            Await.until(
                    "it is refused",
                    () -> browser.wrong().stream().anyMatch(message -> message.contains("Content Security Policy")));
        }
    }

    /** What a screen reader is told: parts with roles, all with names, and what changes. */
    private static void assertIsReadAloud(Chromium browser) {
        List<String> parts =
                browser.command("Accessibility.getFullAXTree", Map.of()).get("nodes") instanceof List<?> all
                        ? all.stream()
                                .map(node -> (Map<?, ?>) node)
                                .filter(node -> Boolean.FALSE.equals(node.get("ignored")))
                                .map(node -> text(node.get("role")) + " " + text(node.get("name")))
                                .toList()
                        : List.of();
        String read = String.join("\n", parts);
        List<String> roles = parts.stream().map(part -> part.split(" ", 2)[0]).toList();
        for (String once : List.of("main", "banner")) {
            assertEquals(1, roles.stream().filter(once::equals).count(), once + " in " + read);
        }
        for (String some :
                List.of("heading", "table", "rowheader", "columnheader", "button", "textbox", "image", "status")) {
            assertTrue(roles.contains(some), some + " in " + read);
        }
        List<String> nameless = parts.stream()
                .filter(part -> List.of(
                                "heading ", "table ", "columnheader ", "button ", "textbox ", "image ", "region ")
                        .contains(part))
                .collect(Collectors.toList());
        assertEquals(List.of(), nameless, read);
    }

    private static String text(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? String.valueOf(map.get("value")) : "";
    }

    @Test
    void a_phone_needs_no_scrolling_to_the_side() throws IOException, InterruptedException {
        NodeProcess node = processes.newCluster().start().awaitLeader();
        try (Increments load = Increments.start(node, "visits:all", 1);
                Chromium phone = new Chromium(
                        Map.of("deviceMetrics", Map.of("width", PHONE_WIDTH, "height", 800, "pixelRatio", 2.0)))) {
            refuseSome(node);
            phone.open(node);
            assertTrafficIsShown(phone);
            assertEquals((long) PHONE_WIDTH, phone.run("return window.innerWidth"));
            assertEquals((long) PHONE_WIDTH, phone.run("return document.documentElement.scrollWidth"));
            phone.takeScreenshot("phone");
            assertFalse(load.stop().values().isEmpty());
        }
    }
}
