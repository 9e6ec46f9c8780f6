package io.dshm.server.admin;

import io.dshm.proto.Limits;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the operators' page shows, as server-sent events: all of it every {@link Limits#PAGE_INTERVAL_SECONDS}, once for
 * all who listen. One event at a time is on its way to a listener; who takes none for {@link Limits#PAGE_STALL_SECONDS}
 * is disconnected. Nothing is read or written while nobody listens. Confined to the admin port's thread.
 */
final class LiveEvents {

    /** The metrics that the page shows. */
    private static final Set<String> SHOWN = Set.of(
            "dshm_commands",
            "dshm_command_duration_seconds",
            "dshm_raft_append_duration_seconds",
            "dshm_reads",
            "dshm_takes",
            "dshm_received_bytes",
            "dshm_sent_bytes",
            "dshm_region_bytes",
            "dshm_region_entries",
            "dshm_evicted_entries",
            "dshm_raft_elections_won",
            "dshm_raft_leader_changes",
            "dshm_snapshot_failures");

    private final Supplier<String> events;
    private final LongSupplier nanos;
    private final Set<Listener> listeners = new LinkedHashSet<>();
    private @Nullable Future<?> ticks;

    /**
     * For one admin port.
     *
     * @param events makes the present event: JSON on one line
     * @param nanos as {@link System#nanoTime}
     */
    LiveEvents(Supplier<String> events, LongSupplier nanos) {
        this.events = events;
        this.nanos = nanos;
    }

    /** One connection on which events are sent until it ends. */
    private final class Listener {

        private final ChannelHandlerContext context;
        private ChannelFuture sent;
        private long tookNanos = nanos.getAsLong();

        private Listener(ChannelHandlerContext context, boolean chunked) {
            this.context = context;
            DefaultHttpResponse response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
            response.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                    .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                    .set("X-Content-Type-Options", "nosniff");
            HttpUtil.setTransferEncodingChunked(response, chunked);
            HttpUtil.setKeepAlive(response, false);
            sent = context.writeAndFlush(response);
        }

        private void send(byte[] event) {
            if (sent.isDone()) {
                tookNanos = nanos.getAsLong();
                sent = context.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(event)));
            } else if (nanos.getAsLong() - tookNanos >= TimeUnit.SECONDS.toNanos(Limits.PAGE_STALL_SECONDS)) {
                context.close();
            }
        }
    }

    /**
     * Sends events on that connection from now on.
     *
     * @param chunked whether the client understands chunks; otherwise the end of the connection is that of the response
     * @return false if there are too many listeners
     */
    boolean add(ChannelHandlerContext context, boolean chunked) {
        if (listeners.size() >= Limits.PAGE_LISTENERS_MAX) {
            return false;
        }
        Listener added = new Listener(context, chunked);
        listeners.add(added);
        context.channel().closeFuture().addListener(closed -> remove(added));
        added.send(event());
        if (ticks == null) {
            ticks = context.channel()
                    .eventLoop()
                    .scheduleWithFixedDelay(
                            this::tick, Limits.PAGE_INTERVAL_SECONDS, Limits.PAGE_INTERVAL_SECONDS, TimeUnit.SECONDS);
        }
        return true;
    }

    private void remove(Listener gone) {
        listeners.remove(gone);
        if (listeners.isEmpty() && ticks != null) {
            ticks.cancel(false);
            ticks = null;
        }
    }

    private void tick() {
        byte[] event = event();
        // A copy: a connection that fails is removed at once.
        for (Listener listener : new ArrayList<>(listeners)) {
            listener.send(event);
        }
    }

    private byte[] event() {
        return ("data: " + events.get() + "\n\n").getBytes(StandardCharsets.UTF_8);
    }

    /** The present event of that node. */
    static String of(NodeInfo node, MetricsSource metrics, RecentEvents recent) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("millis", System.currentTimeMillis());
        fields.put("problems", node.problems());
        fields.put("status", node.status());
        fields.put("members", members(node));
        fields.put(
                "regions",
                node.regions().stream().limit(Limits.REGIONS_SHOWN_MAX).toList());
        fields.put(
                "metrics",
                metrics.samples(SHOWN).stream()
                        .limit(Limits.PAGE_SAMPLES_MAX)
                        .map(LiveEvents::of)
                        .toList());
        fields.put("events", recent.newest());
        return Json.line(fields);
    }

    private static Map<String, Object> of(MetricsSource.Sample sample) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", sample.name());
        fields.put("labels", sample.labels());
        fields.put("value", sample.value());
        if (!sample.buckets().isEmpty()) {
            fields.put("buckets", sample.buckets());
        }
        return fields;
    }

    /** Empty while the node does not run. */
    private static List<Object> members(NodeInfo node) {
        try {
            return node.members().get("members") instanceof List<?> all ? new ArrayList<>(all) : List.of();
        } catch (IllegalStateException e) {
            return List.of();
        }
    }
}
