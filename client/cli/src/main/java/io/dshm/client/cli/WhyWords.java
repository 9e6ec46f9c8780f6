package io.dshm.client.cli;

import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Tool;
import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code dshm why KEY}: why a limit decides as it does. All nodes are asked: each knows only whom it has refused
 * itself.
 */
final class WhyWords {

    private static final int OK = 200;
    private static final List<String> HEADINGS =
            List.of("WHEN", "NODE", "CLIENT", "COMMAND", "COST", "POLICY", "REPLY");

    static final List<Word> ALL = List.of(new Word(
            "why",
            List.of(),
            "Shows a limit's numbers, what was used of it when, and who was refused last through which node.",
            List.of(new Parameter("KEY", "1", "The limit's key.")),
            List.of(),
            new Tool(WhyWords::why)));

    private WhyWords() {}

    private static ExitCode why(Arguments arguments, Session session) throws CliException {
        String path = "/why?key=" + URLEncoder.encode(arguments.required(0), StandardCharsets.UTF_8);
        List<Map<String, Object>> nodes = new ArrayList<>();
        Map<String, Object> silent = new LinkedHashMap<>();
        for (Endpoint endpoint : session.adminPorts()) {
            try {
                AdminPort.Page page = session.adminPort(endpoint).get(path);
                if (page.status() == OK) {
                    nodes.add(Json.object(page.body()));
                } else {
                    silent.put(endpoint.toString(), page.body().strip());
                }
            } catch (IOException e) {
                silent.put(endpoint.toString(), Reasons.of(e));
            }
        }
        if (nodes.isEmpty()) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "unavailable", silent + "\n--admin names the admin ports of other nodes");
        }
        if (session.output().isJson()) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("nodes", nodes);
            all.put("silent", silent);
            session.output().object(all);
        } else {
            lines(nodes).forEach(session.output()::line);
            silent.forEach((endpoint, reason) -> session.output().line(endpoint + " does not say: " + reason));
        }
        return silent.isEmpty() ? ExitCode.OK : ExitCode.NO;
    }

    private static List<String> lines(List<Map<String, Object>> nodes) {
        List<String> lines = new ArrayList<>();
        Map<String, Object> newest = nodes.stream()
                .max(Comparator.comparingLong(node -> number(node, "clusterTimeMillis")))
                .orElseThrow();
        lines.add(limit(newest));
        held(newest, "uses").forEach(use -> lines.add("used " + use.get("cost") + " at " + time(use.get("millis"))));
        for (String what : List.of("holders", "reserved", "shares")) {
            for (Map<?, ?> hold : held(newest, what)) {
                lines.add((what.equals("holders") ? "held by " : what + " by ") + hold.get("holder")
                        + (hold.get("tokens") == null ? "" : ": " + hold.get("tokens"))
                        + ", for " + seconds(number(hold, "endsInMillis")) + " more");
            }
        }
        List<List<String>> rows = new ArrayList<>();
        for (Map<String, Object> node : nodes) {
            lines.add(node.get("node") + " has refused it " + node.get("refused") + " times");
            for (Map<?, ?> refusal : held(node, "refusals")) {
                rows.add(List.of(
                        time(refusal.get("millis")),
                        String.valueOf(node.get("node")),
                        String.valueOf(refusal.get("client")),
                        String.valueOf(refusal.get("command")),
                        String.valueOf(refusal.get("cost")),
                        refusal.get("policy") instanceof String policy && !policy.isEmpty() ? policy : "-",
                        String.valueOf(refusal.get("reply"))));
            }
        }
        if (!rows.isEmpty()) {
            rows.sort(Comparator.comparing((List<String> row) -> row.get(0)).reversed());
            rows.add(0, HEADINGS);
            lines.addAll(StatusTable.aligned(rows));
        }
        return lines;
    }

    private static String limit(Map<String, Object> node) {
        String kind = String.valueOf(node.get("kind"));
        String key = String.valueOf(node.get("key"));
        return switch (kind) {
            case "unused" -> key + ": nothing is used of it now";
            case "no limit" -> key + " holds no limit: dshm stat shows it";
            case "permits" -> key + ": " + node.get("limit") + " permits, " + node.get("remaining") + " left";
            default ->
                key + ": " + kind + ", " + node.get("limit") + " in " + seconds(number(node, "periodMillis"))
                        + (node.get("burst") == null ? "" : " with a burst of " + node.get("burst")) + ", "
                        + node.get("remaining") + " left, unused again in " + seconds(number(node, "unusedInMillis"));
        };
    }

    private static List<Map<?, ?>> held(Map<String, Object> node, String name) {
        List<Map<?, ?>> all = new ArrayList<>();
        if (node.get(name) instanceof List<?> list) {
            list.forEach(one -> all.add((Map<?, ?>) one));
        }
        return all;
    }

    private static long number(Map<?, ?> fields, String name) {
        return fields.get(name) instanceof Number number ? number.longValue() : 0;
    }

    private static String time(@Nullable Object millis) {
        return millis instanceof Number number
                ? Instant.ofEpochMilli(number.longValue()).toString()
                : "-";
    }

    private static String seconds(long millis) {
        return millis / 1000 + (millis % 1000 == 0 ? "" : "." + String.format("%03d", millis % 1000)) + " s";
    }
}
