package io.dshm.server.admin;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import java.io.IOException;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers one operator's connection: {@code /} (what there is), {@code /health} (200 or 503, and a line), {@code /status} and
 * {@code /digest} (JSON), {@code /snapshot} (a backup), {@code /cluster} (the members, and changes of them). Confined to its connection's thread.
 */
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {

    private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);

    private static final String INDEX = """
            /health   200 and "ok", or 503 and what is wrong
            /status   what this node is doing, as JSON
            /digest   a checksum of all data, as JSON; it reads everything
            /regions  the regions with a limit, as JSON
            /region   POST /region?name=NAME&bytes=N&policy=refuse|evict limits one, on all nodes; bytes=0: no limit
            /snapshot a backup of all data; ?stale=yes if no leader can confirm that this node has everything
            /cluster  the members and their roles, as JSON
            POST /cluster/ACTION?member=...  changes them: use dshm cluster
            """;

    private static final String CHANGE = "/cluster/";
    private static final String REGION = "/region";
    private static final String OPERATOR = "Dshm-Operator";

    private final NodeInfo node;
    private final Executor slowRequests;
    private final Executor backups;

    /** Whether a backup is being made or sent, so that this connection is neither idle nor to be closed for another one. */
    private boolean sendsBackup;

    /**
     * For one connection.
     *
     * @param slowRequests runs what reads the whole state; may reject it
     * @param backups runs what lasts for as long as a client takes to read it; may reject it
     */
    AdminHandler(NodeInfo node, Executor slowRequests, Executor backups) {
        this.node = node;
        this.slowRequests = slowRequests;
        this.backups = backups;
    }

    boolean sendsBackup() {
        return sendsBackup;
    }

    private record Answer(HttpResponseStatus status, String body) {

        static Answer ok(String body) {
            return new Answer(HttpResponseStatus.OK, body);
        }

        static Answer unavailable(String why) {
            return new Answer(HttpResponseStatus.SERVICE_UNAVAILABLE, why + "\n");
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.read();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        boolean keepAlive = HttpUtil.isKeepAlive(request);
        if (request.decoderResult().isFailure()) {
            send(context, new Answer(HttpResponseStatus.BAD_REQUEST, "not an HTTP request\n"), false);
        } else if (request.method().equals(HttpMethod.POST)) {
            change(context, request, new QueryStringDecoder(request.uri()), keepAlive);
        } else if (!request.method().equals(HttpMethod.GET)) {
            send(
                    context,
                    new Answer(HttpResponseStatus.METHOD_NOT_ALLOWED, "only GET, and POST for changes\n"),
                    keepAlive);
        } else {
            QueryStringDecoder uri = new QueryStringDecoder(request.uri());
            if (uri.path().equals("/snapshot")) {
                boolean confirmed =
                        !uri.parameters().getOrDefault("stale", List.of()).contains("yes");
                boolean chunked = request.protocolVersion().equals(HttpVersion.HTTP_1_1);
                backup(context, confirmed, new ResponseStream(context, chunked), keepAlive && chunked);
            } else {
                answer(context, uri.path(), keepAlive);
            }
        }
    }

    private void answer(ChannelHandlerContext context, String path, boolean keepAlive) {
        switch (path) {
            case "/" -> send(context, Answer.ok(INDEX), keepAlive);
            case "/health" -> {
                String problem = node.problem();
                send(context, problem == null ? Answer.ok("ok\n") : Answer.unavailable(problem), keepAlive);
            }
            case "/status" -> send(context, Answer.ok(json(node.status())), keepAlive);
            case "/regions" -> send(context, Answer.ok(regions()), keepAlive);
            case "/cluster" -> send(context, members(), keepAlive);
            case "/digest" -> slowly(context, this::digest, keepAlive);
            default ->
                send(
                        context,
                        new Answer(HttpResponseStatus.NOT_FOUND, "there is no " + path + "\n" + INDEX),
                        keepAlive);
        }
    }

    /** Answers what may take a while. */
    private void slowly(ChannelHandlerContext context, Supplier<Answer> request, boolean keepAlive) {
        try {
            slowRequests.execute(() -> {
                Answer answer = request.get();
                context.executor().execute(() -> send(context, answer, keepAlive));
            });
        } catch (RejectedExecutionException e) {
            send(
                    context,
                    Answer.unavailable("others ask for a digest, or change something, at this moment"),
                    keepAlive);
        }
    }

    /** A web page in an operator's browser can send a POST to this port, but not with a header of its own. */
    private void change(
            ChannelHandlerContext context, FullHttpRequest request, QueryStringDecoder uri, boolean keepAlive) {
        Supplier<Answer> change = changeOf(uri.path(), uri.parameters());
        if (change == null) {
            send(
                    context,
                    new Answer(
                            HttpResponseStatus.METHOD_NOT_ALLOWED,
                            "only GET, and POST for " + CHANGE + "ACTION and " + REGION + "\n"),
                    keepAlive);
        } else if (!request.headers().contains(OPERATOR)) {
            send(
                    context,
                    new Answer(HttpResponseStatus.FORBIDDEN, "a change needs the header " + OPERATOR + "\n"),
                    keepAlive);
        } else {
            slowly(context, change, keepAlive);
        }
    }

    /** What a POST to that path does; null if there is none. */
    private @Nullable Supplier<Answer> changeOf(String path, Map<String, List<String>> parameters) {
        if (path.equals(REGION)) {
            return () -> limitRegion(parameters);
        }
        if (path.startsWith(CHANGE)) {
            String member = String.join("", parameters.getOrDefault("member", List.of()));
            return () -> changeMembers(path.substring(CHANGE.length()), member);
        }
        return null;
    }

    private String regions() {
        return node.regions().stream()
                .map(region -> json(region).strip())
                .collect(Collectors.joining(",\n", "{\n\"regions\": [\n", "]\n}\n"));
    }

    private Answer limitRegion(Map<String, List<String>> parameters) {
        try {
            String policy = parameter(parameters, "policy");
            if (!policy.equals("evict") && !policy.equals("refuse")) {
                throw new IllegalArgumentException("policy= must be refuse or evict");
            }
            String bytes = parameter(parameters, "bytes");
            if (!bytes.matches("[0-9]{1,18}")) {
                throw new IllegalArgumentException("bytes= must be a number of 1 to 18 digits");
            }
            node.limitRegion(parameter(parameters, "name"), Long.parseLong(bytes), policy.equals("evict"));
            return Answer.ok("ok\n");
        } catch (IllegalArgumentException e) {
            return new Answer(HttpResponseStatus.BAD_REQUEST, e.getMessage() + "\n");
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.unavailable("stopping");
        }
    }

    private Answer changeMembers(String action, String member) {
        try {
            return Answer.ok(json(Map.of("message", node.changeMembers(action, member))));
        } catch (RefusedException e) {
            return new Answer(
                    HttpResponseStatus.CONFLICT,
                    json(Map.of("error", e.code(), "message", String.valueOf(e.getMessage()))));
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.unavailable("stopping");
        }
    }

    private static String parameter(Map<String, List<String>> parameters, String name) {
        List<String> values = parameters.getOrDefault(name, List.of());
        if (values.size() != 1) {
            throw new IllegalArgumentException(name + "= is missing, or there are several");
        }
        return values.get(0);
    }

    private Answer members() {
        try {
            return Answer.ok(json(node.members()));
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        }
    }

    private void backup(ChannelHandlerContext context, boolean confirmed, ResponseStream out, boolean keepAlive) {
        sendsBackup = true;
        try {
            backups.execute(() -> {
                Answer problem = backup(context, confirmed, out);
                context.executor().execute(() -> {
                    sendsBackup = false;
                    if (problem != null) {
                        send(context, problem, keepAlive);
                    } else if (keepAlive) {
                        context.read();
                    } else {
                        context.close();
                    }
                });
            });
        } catch (RejectedExecutionException e) {
            sendsBackup = false;
            send(context, Answer.unavailable("another backup is being sent at this moment"), keepAlive);
        }
    }

    /** Makes and sends a backup; null if the response has begun, and then the connection is closed if it is not whole. */
    private @Nullable Answer backup(ChannelHandlerContext context, boolean confirmed, ResponseStream out) {
        try {
            node.backup(confirmed, out);
            out.close();
            return null;
        } catch (IOException | IllegalStateException e) {
            if (!out.hasBegun()) {
                return Answer.unavailable(String.valueOf(e.getMessage()));
            }
            LOG.warn("a backup for {} is not whole: {}", context.channel().remoteAddress(), e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        context.close();
        return null;
    }

    private Answer digest() {
        try {
            return Answer.ok(json(node.digest()));
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.unavailable("stopping");
        }
    }

    private static void send(ChannelHandlerContext context, Answer answer, boolean keepAlive) {
        ByteBuf body = ByteBufUtil.writeUtf8(context.alloc(), answer.body);
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, answer.status, body);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, answer.body.startsWith("{") ? "application/json" : "text/plain")
                .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes())
                .set(
                        HttpHeaderNames.DATE,
                        DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
        HttpUtil.setKeepAlive(response, keepAlive);
        var sent = context.writeAndFlush(response);
        if (keepAlive) {
            // Not from within the call that hands the request over: FlowControlHandler would overlook it.
            context.executor().execute(context::read);
        } else {
            sent.addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof IdleStateEvent && !sendsBackup) {
            context.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("admin connection of {} closed", context.channel().remoteAddress(), cause);
        context.close();
    }

    private static String json(Map<String, Object> fields) {
        return fields.entrySet().stream()
                .map(field -> "  \"" + field.getKey() + "\": " + literal(field.getValue()))
                .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
    }

    private static String literal(Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(AdminHandler::literal).collect(Collectors.joining(",\n    ", "[\n    ", "\n  ]"));
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(field -> "\"" + field.getKey() + "\": " + literal(field.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        return value instanceof Number || value instanceof Boolean
                ? value.toString()
                : "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
