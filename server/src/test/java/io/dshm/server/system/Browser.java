package io.dshm.server.system;

import java.io.IOException;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Somebody with one browser, whose cookies come back to whichever web server of the site answers. */
final class Browser {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final CookieManager cookies = new CookieManager();
    private final HttpClient http = HttpClient.newBuilder()
            .cookieHandler(cookies)
            .version(HttpClient.Version.HTTP_1_1)
            .build();

    /** What a page says, or a status and what it says, if that is not 200. */
    String get(PhpServer php, String action) throws IOException, InterruptedException {
        return text(http.send(request(php, action), HttpResponse.BodyHandlers.ofString()));
    }

    /** The same, while the browser goes on. */
    CompletableFuture<String> getSoon(PhpServer php, String action) {
        return http.sendAsync(request(php, action), HttpResponse.BodyHandlers.ofString())
                .thenApply(Browser::text);
    }

    private static HttpRequest request(PhpServer php, String action) {
        return HttpRequest.newBuilder(php.uri(action)).timeout(PATIENCE).build();
    }

    private static String text(HttpResponse<String> response) {
        return (response.statusCode() == 200 ? "" : response.statusCode() + " ") + response.body();
    }

    /** The session that its cookie names. */
    String session() {
        return cookies.getCookieStore().getCookies().stream()
                .filter(cookie -> cookie.getName().equals("PHPSESSID"))
                .map(HttpCookie::getValue)
                .findAny()
                .orElseThrow();
    }

    /** Forgets all cookies but this session's. */
    void setSession(PhpServer php, String id) {
        cookies.getCookieStore().removeAll();
        HttpCookie cookie = new HttpCookie("PHPSESSID", id);
        cookie.setDomain("127.0.0.1");
        cookie.setPath("/");
        cookie.setVersion(0);
        cookies.getCookieStore().add(php.uri(""), cookie);
    }
}
