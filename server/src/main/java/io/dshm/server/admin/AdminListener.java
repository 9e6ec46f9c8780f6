package io.dshm.server.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/**
 * Answers operators: {@code /health} (200 or 503, and a line), {@code /status} and {@code /digest} (JSON). Whoever reaches
 * the port may read all of it; nothing can be changed through it.
 */
public final class AdminListener {

    private final HttpServer server;
    private final ExecutorService threads;
    private final NodeInfo node;

    /**
     * Listens.
     *
     * @throws IOException if the address cannot be bound
     */
    public AdminListener(InetSocketAddress address, NodeInfo node) throws IOException {
        this.node = node;
        this.threads = Executors.newFixedThreadPool(2, task -> {
            Thread thread = new Thread(task, "admin");
            thread.setDaemon(true);
            return thread;
        });
        server = HttpServer.create(address, 0);
        server.setExecutor(threads);
        server.createContext("/health", this::health);
        server.createContext("/status", exchange -> reply(exchange, 200, json(node.status())));
        server.createContext("/digest", this::digest);
        server.start();
    }

    /** Listens no more. */
    public void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void health(HttpExchange exchange) throws IOException {
        String problem = node.problem();
        reply(exchange, problem == null ? 200 : 503, (problem == null ? "ok" : problem) + "\n");
    }

    private void digest(HttpExchange exchange) throws IOException {
        try {
            reply(exchange, 200, json(node.digest()));
        } catch (IllegalStateException e) {
            reply(exchange, 503, e.getMessage() + "\n");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            reply(exchange, 503, "stopping\n");
        }
    }

    private static void reply(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", body.startsWith("{") ? "application/json" : "text/plain");
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    private static String json(Map<String, Object> fields) {
        return fields.entrySet().stream()
                .map(field -> "  \"" + field.getKey() + "\": " + literal(field.getValue()))
                .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
    }

    private static String literal(Object value) {
        return value instanceof Number || value instanceof Boolean
                ? value.toString()
                : "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
