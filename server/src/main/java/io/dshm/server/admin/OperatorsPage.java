package io.dshm.server.admin;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The operators' page: what a browser gets at {@code /}, and the files that it loads. All are in the jar, and the page
 * gets nothing from anywhere else: the browser is told to refuse it. Thread-safe.
 */
final class OperatorsPage {

    /** Scripts and styles only from files of this port, none within the page; data only from this port; in no frame. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** A file of the page. */
    @SuppressWarnings("ArrayRecordComponent") // handed over
    record File(String contentType, byte[] body) {}

    private static final File PAGE = file("page.html", "text/html; charset=utf-8");

    private static final Map<String, File> FILES = Map.of(
            "/page.css", file("page.css", "text/css; charset=utf-8"),
            "/plots.js", file("plots.js", "text/javascript; charset=utf-8"),
            "/page.js", file("page.js", "text/javascript; charset=utf-8"));

    private OperatorsPage() {}

    /**
     * What is at that path for a client that takes these formats.
     *
     * @param accept as in HTTP's header; null if it does not say
     * @return null if it is nothing of the page
     */
    static @Nullable File at(String path, @Nullable String accept) {
        return path.equals("/") && accept != null && accept.contains("text/html") ? PAGE : FILES.get(path);
    }

    /** What a browser must know of the page. */
    static void addHeaders(HttpHeaders headers) {
        headers.set("Content-Security-Policy", POLICY)
                .set("Referrer-Policy", "no-referrer")
                .set("Cross-Origin-Resource-Policy", "same-origin")
                .set("Cross-Origin-Opener-Policy", "same-origin")
                .set(HttpHeaderNames.VARY, HttpHeaderNames.ACCEPT);
    }

    private static File file(String name, String contentType) {
        try (InputStream in = OperatorsPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing in the jar");
            }
            return new File(contentType, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
