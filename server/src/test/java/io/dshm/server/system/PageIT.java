package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** The operators' page in a real browser: of a healthy cluster, with a dead node, without a leader, on a phone, in the dark, by keyboard. */
@Tag("long")
class PageIT {

    private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
    private static final int PHONE_WIDTH = 375;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    private ChromeDriver browser;

    @BeforeEach
    void startBrowser() {
        assumeTrue(
                Files.isExecutable(CHROMIUM) && Files.isExecutable(DRIVER), "there is no chromium, or chromium-driver");
        browser = browser(Map.of());
    }

    @AfterEach
    void stopBrowser() {
        if (browser != null) {
            browser.quit();
        }
    }

    private static ChromeDriver browser(Map<String, Object> emulated) {
        ChromeOptions options = new ChromeOptions();
        options.setBinary(CHROMIUM.toString());
        // Root has no sandbox of Chromium's.
        options.addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000");
        if (!emulated.isEmpty()) {
            options.setExperimentalOption("mobileEmulation", emulated);
        }
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        return new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(new File(DRIVER.toString()))
                        .build(),
                options);
    }

    private static String page(NodeProcess node) {
        return "http://" + node.address().getAddress().getHostAddress() + ":" + node.adminPort() + "/";
    }

    private String text(String id) {
        return browser.findElement(By.id(id)).getText();
    }

    private void awaitState(String what, String beginning) throws InterruptedException {
        Await.until(what, () -> text("state").startsWith(beginning));
    }

    /** What the browser has refused or found wrong: scripts' errors, and what the page's policy forbids. */
    private void assertNothingWrongInTheBrowser() {
        List<String> wrong = browser.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.SEVERE.intValue())
                .map(entry -> entry.getMessage())
                .filter(message -> !message.contains("net::ERR_")) // a node that was killed
                .toList();
        assertEquals(List.of(), wrong);
    }

    @Test
    void the_page_tells_of_a_healthy_cluster_a_dead_node_and_a_lost_majority()
            throws IOException, InterruptedException {
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess leader = cluster.awaitLeader();
        browser.get(page(leader));
        awaitState("the page is live", "ready, it leads");
        assertEquals(3, browser.findElements(By.cssSelector("#nodes tr")).size());
        Await.until("all nodes answer", () -> !text("nodes").contains("does not answer"));
        assertFalse(browser.findElement(By.id("wrong")).isDisplayed(), () -> text("problems"));
        assertNothingWrongInTheBrowser();

        List<NodeProcess> followers =
                cluster.nodes().stream().filter(node -> node != leader).toList();
        followers.get(0).kill();
        Await.until("the dead node is shown", () -> text("nodes").contains("does not answer"));
        assertTrue(browser.findElement(By.id("wrong")).isDisplayed());
        assertTrue(text("problems").contains("not answering"), () -> text("problems"));
        awaitState("the cluster goes on", "ready, it leads");

        followers.get(1).kill();
        awaitState("without a majority nobody leads", "not ready: no leader");
        assertTrue(text("problems").contains("When a node, or its data, is lost"), () -> text("problems"));
        followers.get(1).start();
        awaitState("the majority is back", "ready");
        assertNothingWrongInTheBrowser();
    }

    @Test
    void the_page_is_used_by_keyboard_and_read_in_the_dark() throws IOException, InterruptedException {
        NodeProcess node = processes.newCluster().start().awaitLeader();
        browser.get(page(node));
        awaitState("the page is live", "ready");
        WebElement body = browser.findElement(By.tagName("body"));
        body.sendKeys(Keys.TAB);
        assertEquals("To the content", focused().getText());
        focused().sendKeys(Keys.ENTER);
        assertEquals("main", focused().getAttribute("id"));
        focused().sendKeys(Keys.TAB);
        assertEquals("why-key", focused().getAttribute("id"));
        focused().sendKeys("api:42" + Keys.ENTER);
        Await.until("the limit is explained", () -> text("why-limit").startsWith("Nothing is used of it now."));

        double bright = luminance("color") - luminance("background-color");
        assertTrue(bright < -0.5, "dark on bright: " + bright);
        browser.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", "dark"))));
        double dark = luminance("color") - luminance("background-color");
        assertTrue(dark > 0.5, "bright on dark: " + dark);
        assertNothingWrongInTheBrowser();
    }

    @Test
    void a_phone_needs_no_scrolling_to_the_side() throws IOException, InterruptedException {
        stopBrowser();
        browser = browser(Map.of("deviceMetrics", Map.of("width", PHONE_WIDTH, "height", 800, "pixelRatio", 2.0)));
        NodeProcess node = processes.newCluster().start().awaitLeader();
        browser.get(page(node));
        awaitState("the page is live", "ready");
        assertEquals(PHONE_WIDTH, number("return window.innerWidth"));
        long width = number("return document.documentElement.scrollWidth");
        assertTrue(width <= PHONE_WIDTH, "the page is " + width + " wide");
    }

    private WebElement focused() {
        return browser.switchTo().activeElement();
    }

    private long number(String script) {
        return browser.executeScript(script) instanceof Number number ? number.longValue() : -1;
    }

    /** 0 for black, 1 for white. */
    private double luminance(String property) {
        String color = browser.findElement(By.tagName("body")).getCssValue(property);
        String[] parts =
                color.substring(color.indexOf('(') + 1, color.indexOf(')')).split(", *");
        return (0.2126 * Double.parseDouble(parts[0])
                        + 0.7152 * Double.parseDouble(parts[1])
                        + 0.0722 * Double.parseDouble(parts[2]))
                / 255;
    }
}
