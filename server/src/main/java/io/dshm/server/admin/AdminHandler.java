package io.dshm.server.admin;

import io.dshm.proto.Limits;
import io.dshm.server.guard.SeldomLogged;
import io.netty.buffer.Unpooled;
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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers one operator's connection: {@code /} (the operators' page, or what there is), {@code /health}, {@code /livez}
 * and {@code /readyz} (200 or 503, and why), {@code /metrics} (Prometheus), {@code /status} and {@code /digest} (JSON),
 * {@code /events} (for the page), {@code /snapshot} (a backup), {@code /cluster} (the members, and changes of them).
 * Confined to its connection's thread.
 */
final class AdminHandler extends SimpleChannelInboundHandler<FullHttpRequest> {

    private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);

    /** At most one line in ten seconds: any client can begin a backup and break off, as often as it likes. */
    private static final SeldomLogged UNFINISHED_BACKUPS = new SeldomLogged(System::nanoTime, Duration.ofSeconds(10));

    private static final SeldomLogged REFUSED = new SeldomLogged(System::nanoTime, Duration.ofSeconds(10));

    private static final String INDEX = """
            /         in a browser: a page that shows this node and its cluster
            /events   what that page shows, as server-sent events
            /health   200 and "ok", or 503 and what is wrong
            /livez    200 and "ok", or 503 if it hangs and must be started again
            /readyz   200 and "ok", or 503 and all reasons why it should get no clients
            /metrics  for Prometheus
            /status   what this node is doing, as JSON
            /digest   a checksum of all data, as JSON; it reads everything
            /regions  the regions with a limit, as JSON
            /region   POST /region?name=NAME&bytes=N&policy=refuse|evict limits one, on all nodes; bytes=0: no limit
            /why      ?key=KEY: a limit's numbers, its use, and whom this node has refused last, as JSON
            /hot      the keys that are named most, and those that are refused most, as JSON
            /snapshot a backup of all data; ?stale=yes if no leader can confirm that this node has everything
            /cluster  the members and their roles, as JSON
            POST /cluster/ACTION?member=...  changes them: use dshm cluster
            /users    the users and their rights, as JSON
            POST /users/ACTION?name=...      changes them: use dshm user
            POST /tls/reload  reads certificates and keys again: use dshm tls reload
            """;

    private static final String CHANGE = "/cluster/";
    private static final String USERS = "/users/";
    private static final String RELOAD_TLS = "/tls/reload";
    private static final String REGION = "/region";
    private static final String OPERATOR = "Dshm-Operator";

    private static final Set<String> FREE_OF_TOKEN = Set.of("/health", "/livez", "/readyz");

    /** What shows data, users or who asks, and so is for nobody while the node may still have to learn of a user. */
    private static final Set<String> NEEDS_USERS = Set.of("/snapshot", "/hot", "/why", "/users", "/events");

    private static final Answer USERS_UNKNOWN = Answer.unavailable(
            "starting: this node does not know the users yet, so this needs the token in its admin-token-file");

    private static final Answer NO_SECRET = new Answer(
            HttpResponseStatus.UNAUTHORIZED,
            "this needs the token in the node's admin-token-file, or a user with admin:*\n");

    private static final Answer WRONG_HOST = new Answer(
            HttpResponseStatus.FORBIDDEN,
            "the Host header must be an address or localhost: call the admin port by its address\n");

    private final NodeInfo node;
    private final MetricsSource metrics;
    private final @Nullable AdminToken token;
    private final Executor slowRequests;
    private final Executor backups;
    private final LiveEvents events;

    /** A backup is being made or sent: the connection is not idle, and is not closed to make room for another. */
    private boolean sendsBackup;

    /** Closes the connection if no request comes in time. */
    private @Nullable Future<?> deadline;

    /**
     * For one connection.
     *
     * @param token needed by all requests except those about the node's health; null if none is needed, or a user once
     *     the cluster requires one
     * @param slowRequests runs requests that read the whole state; may reject them
     * @param backups runs backups, which take as long as the client reads; may reject them
     * @param events for the operators' page
     */
    AdminHandler(
            NodeInfo node,
            MetricsSource metrics,
            @Nullable AdminToken token,
            Executor slowRequests,
            Executor backups,
            LiveEvents events) {
        this.node = node;
        this.metrics = metrics;
        this.token = token;
        this.slowRequests = slowRequests;
        this.backups = backups;
        this.events = events;
    }

    boolean sendsBackup() {
        return sendsBackup;
    }

    @SuppressWarnings("ArrayRecordComponent") // handed over
    private record Answer(HttpResponseStatus status, String contentType, byte[] body) {

        Answer(HttpResponseStatus status, String text) {
            this(
                    status,
                    text.startsWith("{") ? "application/json" : "text/plain; charset=utf-8",
                    text.getBytes(StandardCharsets.UTF_8));
        }

        static Answer ok(String body) {
            return new Answer(HttpResponseStatus.OK, body);
        }

        static Answer unavailable(String why) {
            return new Answer(HttpResponseStatus.SERVICE_UNAVAILABLE, why + "\n");
        }

        static Answer okUnless(@Nullable String problem) {
            return problem == null ? ok("ok\n") : unavailable(problem);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        awaitRequest(context);
    }

    /** Closes the connection if the request is not complete in time. */
    private void awaitRequest(ChannelHandlerContext context) {
        if (context.channel().isActive()) {
            deadline = context.executor().schedule(() -> context.close(), Limits.ADMIN_IDLE_SECONDS, TimeUnit.SECONDS);
            context.read();
        }
    }

    /** What was read may be only a part of a request, or of a TLS handshake: then read on. */
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (deadline != null) {
            context.read();
        }
    }

    /** Whether it wants to read. */
    boolean awaitsRequest() {
        return deadline != null;
    }

    private void cancelDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        cancelDeadline();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        cancelDeadline();
        boolean keepAlive = HttpUtil.isKeepAlive(request);
        if (request.decoderResult().isFailure()) {
            send(context, new Answer(HttpResponseStatus.BAD_REQUEST, "not an HTTP request\n"), false);
            return;
        }
        Answer refusal = refusal(context, request);
        if (refusal != null) {
            send(context, refusal, keepAlive);
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
                answer(context, uri.path(), request, keepAlive);
            }
        }
    }

    /**
     * Null for who may ask that. Monitors may ask for the node's health without a secret, and by any name. Any thread.
     */
    private @Nullable Answer refusal(ChannelHandlerContext context, FullHttpRequest request) {
        String path = new QueryStringDecoder(request.uri()).path();
        if (FREE_OF_TOKEN.contains(path)) {
            return null;
        }
        if (hasToken(request)) {
            return null;
        }
        // Asked first: what the node says of its users after that is what it has learnt, if it has.
        boolean knowsUsers = node.knowsUsers();
        boolean open = token == null && !node.requiresUser();
        if (open && !HostHeader.isSafe(request.headers().get(HttpHeaderNames.HOST))) {
            return WRONG_HOST;
        }
        if (open || givenIn(request).isOf(node::isAdmin)) {
            boolean needsUsers = NEEDS_USERS.contains(path) || request.method().equals(HttpMethod.POST);
            return knowsUsers || !needsUsers ? null : USERS_UNKNOWN;
        }
        long times = REFUSED.next();
        if (times > 0) {
            LOG.warn(
                    "refused {} requests to the admin port without the right secret, the last of them of {}",
                    times,
                    context.channel().remoteAddress());
        }
        return NO_SECRET;
    }

    private boolean hasToken(FullHttpRequest request) {
        return token != null && token.is(givenIn(request).secret());
    }

    private static Authorization givenIn(FullHttpRequest request) {
        return Authorization.in(request.headers().get(HttpHeaderNames.AUTHORIZATION));
    }

    private void answer(ChannelHandlerContext context, String path, FullHttpRequest request, boolean keepAlive) {
        OperatorsPage.File file = OperatorsPage.at(path, request.headers().get(HttpHeaderNames.ACCEPT));
        if (file != null) {
            send(context, new Answer(HttpResponseStatus.OK, file.contentType(), file.body()), keepAlive);
            return;
        }
        switch (path) {
            case "/" -> send(context, Answer.ok(INDEX), keepAlive);
            case "/health" -> send(context, Answer.okUnless(node.problem()), keepAlive);
            case "/livez" -> send(context, Answer.okUnless(node.hang()), keepAlive);
            case "/readyz" -> {
                List<String> problems = node.problems();
                send(context, Answer.okUnless(problems.isEmpty() ? null : String.join("\n", problems)), keepAlive);
            }
            case "/metrics" -> send(context, metrics(request.headers().get(HttpHeaderNames.ACCEPT)), keepAlive);
            case "/status" -> send(context, Answer.ok(Json.lines(node.status())), keepAlive);
            case "/regions" -> send(context, Answer.ok(regions()), keepAlive);
            case "/why" -> send(context, why(new QueryStringDecoder(request.uri()).parameters()), keepAlive);
            case "/hot" -> send(context, hotKeys(), keepAlive);
            case "/users" -> send(context, Answer.ok(Json.lines(node.users())), keepAlive);
            case "/cluster" -> send(context, members(), keepAlive);
            case "/events" -> {
                if (!events.add(context, request.protocolVersion().equals(HttpVersion.HTTP_1_1))) {
                    send(
                            context,
                            Answer.unavailable("the page is open " + Limits.PAGE_LISTENERS_MAX + " times already"),
                            keepAlive);
                }
            }
            case "/digest" -> slowly(context, this::digest, keepAlive);
            default ->
                send(
                        context,
                        new Answer(HttpResponseStatus.NOT_FOUND, "there is no " + path + "\n" + INDEX),
                        keepAlive);
        }
    }

    private Answer metrics(@Nullable String accept) {
        try {
            MetricsSource.Scrape scrape = metrics.scrape(accept);
            return new Answer(HttpResponseStatus.OK, scrape.contentType(), scrape.body());
        } catch (IOException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        }
    }

    /** Answers requests that may take a while. */
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
        } else if (hasToken(request) || uri.path().equals(RELOAD_TLS)) {
            slowly(context, change, keepAlive);
        } else {
            slowly(context, () -> changeIfStillAdmitted(context, request, change), keepAlive);
        }
    }

    /**
     * This node may lag, and not have heard yet that the user was removed, or that one is required. What changes this
     * node alone is done without a leader; all other changes need one anyway.
     */
    private Answer changeIfStillAdmitted(
            ChannelHandlerContext context, FullHttpRequest request, Supplier<Answer> change) {
        try {
            node.catchUp();
        } catch (IOException | IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.unavailable("stopping");
        }
        Answer refusal = refusal(context, request);
        return refusal == null ? change.get() : refusal;
    }

    /** The change that a POST to that path makes; null if there is no such path. */
    private @Nullable Supplier<Answer> changeOf(String path, Map<String, List<String>> parameters) {
        if (path.equals(REGION)) {
            return () -> limitRegion(parameters);
        }
        if (path.startsWith(CHANGE)) {
            String member = String.join("", parameters.getOrDefault("member", List.of()));
            return () -> change(() -> node.changeMembers(path.substring(CHANGE.length()), member));
        }
        if (path.startsWith(USERS)) {
            UserChange change = new UserChange(
                    path.substring(USERS.length()),
                    String.join("", parameters.getOrDefault("name", List.of())),
                    parameters.getOrDefault("right", List.of()),
                    String.join("", parameters.getOrDefault("salt", List.of())),
                    String.join("", parameters.getOrDefault("hash", List.of())));
            return () -> change(() -> node.changeUsers(change));
        }
        if (path.equals(RELOAD_TLS)) {
            return () -> change(node::reloadTls);
        }
        return null;
    }

    private String regions() {
        return node.regions().stream()
                .map(region -> Json.lines(region).strip())
                .collect(Collectors.joining(",\n", "{\n\"regions\": [\n", "]\n}\n"));
    }

    private Answer why(Map<String, List<String>> parameters) {
        try {
            String key = parameter(parameters, "key");
            return key.isEmpty()
                    ? new Answer(HttpResponseStatus.BAD_REQUEST, "key= must not be empty\n")
                    : Answer.ok(Json.line(node.why(key)) + "\n");
        } catch (IllegalArgumentException e) {
            return new Answer(HttpResponseStatus.BAD_REQUEST, e.getMessage() + "\n");
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        }
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

    /** A change that an operator asks for; returns what was done, in a sentence. */
    @FunctionalInterface
    private interface Change {
        String make() throws RefusedException, InterruptedException;
    }

    private static Answer change(Change change) {
        try {
            return Answer.ok(Json.lines(Map.of("message", change.make())));
        } catch (RefusedException e) {
            return new Answer(
                    HttpResponseStatus.CONFLICT,
                    Json.lines(Map.of("error", e.code(), "message", String.valueOf(e.getMessage()))));
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

    private Answer hotKeys() {
        try {
            return Answer.ok(Json.line(node.hotKeys()) + "\n");
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        }
    }

    private Answer members() {
        try {
            return Answer.ok(Json.lines(node.members()));
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
                        awaitRequest(context);
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

    /** Makes and sends a backup. Null once the response has begun; if it fails after that, the connection is closed. */
    private @Nullable Answer backup(ChannelHandlerContext context, boolean confirmed, ResponseStream out) {
        try {
            node.backup(confirmed, out);
            out.close();
            return null;
        } catch (IOException | IllegalStateException e) {
            if (!out.hasBegun()) {
                return Answer.unavailable(String.valueOf(e.getMessage()));
            }
            long times = UNFINISHED_BACKUPS.next();
            if (times > 0) {
                LOG.warn(
                        "a backup for {} is not whole: {} ({} since the last such line)",
                        context.channel().remoteAddress(),
                        e.toString(),
                        times);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        context.close();
        return null;
    }

    private Answer digest() {
        try {
            return Answer.ok(Json.lines(node.digest()));
        } catch (IllegalStateException e) {
            return Answer.unavailable(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.unavailable("stopping");
        }
    }

    private void send(ChannelHandlerContext context, Answer answer, boolean keepAlive) {
        var response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, answer.status, Unpooled.wrappedBuffer(answer.body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType)
                .set(HttpHeaderNames.CONTENT_LENGTH, answer.body.length)
                .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                .set("X-Content-Type-Options", "nosniff")
                .set(
                        HttpHeaderNames.DATE,
                        DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
        OperatorsPage.addHeaders(response.headers());
        if (answer.status.equals(HttpResponseStatus.UNAUTHORIZED)) {
            response.headers().set(HttpHeaderNames.WWW_AUTHENTICATE, "Basic realm=\"dshm\", charset=\"UTF-8\"");
        }
        HttpUtil.setKeepAlive(response, keepAlive);
        var sent = context.writeAndFlush(response);
        if (keepAlive) {
            // Only once the client has taken the response: else unread ones would pile up. And in a task of its own,
            // because FlowControlHandler would overlook a read() from within the call that passes the request.
            sent.addListener(taken -> context.executor().execute(() -> awaitRequest(context)));
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
}
