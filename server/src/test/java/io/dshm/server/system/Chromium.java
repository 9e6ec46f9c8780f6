package io.dshm.server.system;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.jspecify.annotations.Nullable;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's Chromium without a screen, with a node's page. */
final class Chromium implements AutoCloseable {

    /** For people to look at. */
    private static final Path SCREENSHOTS = Path.of("target/screenshots");

    private static final Path BROWSER = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

    private final ChromeDriver driver;

    static boolean isInstalled() {
        return Files.isExecutable(BROWSER) && Files.isExecutable(DRIVER);
    }

    /** With a large window. */
    Chromium() {
        this(Map.of());
    }

    /** @param emulated which device it is, as chromedriver wants it */
    Chromium(Map<String, Object> emulated) {
        ChromeOptions options = new ChromeOptions();
        options.setBinary(BROWSER.toString());
        // Root has no sandbox of Chromium's.
        options.addArguments(
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--window-size=1280,1000");
        // It does not know the authority of the tests.
        options.setAcceptInsecureCerts(Secured.ON);
        if (!emulated.isEmpty()) {
            options.setExperimentalOption("mobileEmulation", emulated);
        }
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        driver = new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(new File(DRIVER.toString()))
                        .build(),
                options);
    }

    /** Opens the page of that node, and waits until it is live. */
    void open(NodeProcess node) throws InterruptedException {
        if (node.isSecured()) {
            command("Network.enable", Map.of());
            command("Network.setExtraHTTPHeaders", Map.of("headers", Map.of("Authorization", node.authorization())));
        }
        driver.get((node.isSecured() ? "https://" : "http://") + PrometheusProcess.instance(node) + "/");
        Await.until("the page of " + node.name() + " is live", () -> text("age").equals("live"));
    }

    WebElement element(String id) {
        return driver.findElement(By.id(id));
    }

    /** What a person reads there: nothing of what is hidden. */
    String text(String id) {
        return element(id).getText();
    }

    int count(String selector) {
        return driver.findElements(By.cssSelector(selector)).size();
    }

    WebElement focused() {
        return driver.switchTo().activeElement();
    }

    /** What a script of the test returns. */
    @Nullable
    Object run(String script) {
        return driver.executeScript(script);
    }

    /** Asks or tells Chromium itself. */
    Map<String, Object> command(String name, Map<String, Object> parameters) {
        return driver.executeCdpCommand(name, parameters);
    }

    void setDark(boolean dark) {
        command(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    /** What it has refused or found wrong since it was asked last: scripts' errors, and what the page's policy forbids. */
    List<String> wrong() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.SEVERE.intValue())
                .map(entry -> entry.getMessage())
                .filter(message -> !message.contains("net::ERR_")) // a node that was killed
                .toList();
    }

    /** Keeps a picture of the whole page. */
    void takeScreenshot(String name) throws IOException {
        Files.createDirectories(SCREENSHOTS);
        String picture = (String) command("Page.captureScreenshot", Map.of("captureBeyondViewport", true))
                .get("data");
        Files.write(SCREENSHOTS.resolve(name + ".png"), Base64.getDecoder().decode(picture));
    }

    @Override
    public void close() {
        driver.quit();
    }
}
