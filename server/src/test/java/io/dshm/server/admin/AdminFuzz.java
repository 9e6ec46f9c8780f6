package io.dshm.server.admin;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.List;

/** The admin port for a fuzzer. */
public final class AdminFuzz {

    private AdminFuzz() {}

    /** What operators send. */
    public static List<byte[]> seeds() {
        return List.of(
                request("GET /health HTTP/1.1", "Host: 127.0.0.1"),
                request("GET /why?key=a%20b HTTP/1.1", "Host: 127.0.0.1", "Authorization: Basic dTpz"),
                request(
                        "POST /users/add?name=u&right=read:a HTTP/1.1",
                        "Host: 127.0.0.1",
                        "Dshm-Operator: t",
                        "Content-Length: 3",
                        "",
                        "abc"),
                request(
                        "POST /region?name=r&bytes=10&policy=evict HTTP/1.1",
                        "Host: 127.0.0.1",
                        "Transfer-Encoding: chunked",
                        "Dshm-Operator: t",
                        "",
                        "2",
                        "ab",
                        "0",
                        "",
                        "GET / HTTP/1.0"));
    }

    private static byte[] request(String... lines) {
        return (String.join("\r\n", lines) + "\r\n\r\n").getBytes(US_ASCII);
    }

    /** Any bytes from the beginning of a connection on. */
    public static void requests(byte[] data) {
        MetricsSource metrics = accept -> new MetricsSource.Scrape("text/plain", new byte[0]);
        AdminHandler handler = new AdminHandler(
                new TestNode(),
                metrics,
                null,
                Runnable::run,
                Runnable::run,
                new LiveEvents(() -> "{}", System::nanoTime));
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        AdminListener.addTo(channel.pipeline(), handler);
        try {
            for (int at = 0; at < data.length && channel.isOpen(); ) {
                int piece = Math.min(1 + (data[at] & 63), data.length - at);
                channel.writeInbound(Unpooled.copiedBuffer(data, at, piece));
                channel.runPendingTasks();
                at += piece;
                for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                    ReferenceCountUtil.release(out);
                }
            }
        } finally {
            channel.finishAndReleaseAll();
        }
    }
}
