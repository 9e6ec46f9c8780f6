package io.dshm.client.cli;

import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code dshm status}: what each node says of itself, in one table. */
final class StatusTable {

    private static final List<String> HEADINGS =
            List.of("NODE", "ADDRESS", "ROLE", "TERM", "APPLIED", "LAG", "VERSION", "FORMAT", "STATE");

    private StatusTable() {}

    /**
     * What one node says.
     *
     * @param address for clients, or for operators if only that is known
     * @param fields of {@code /status}; empty if it did not answer
     * @param state {@code ok}, or what is wrong
     */
    record Node(Endpoint address, Map<String, Object> fields, String state) {

        boolean isWell() {
            return state.equals("ok");
        }

        /** A field as it is shown; a dash if it is not there. */
        String field(String name) {
            Object value = fields.get(name);
            return value == null || value.equals("") ? "-" : String.valueOf(value);
        }

        String role() {
            if (!fields.containsKey("leads")) {
                return "-";
            }
            return Boolean.TRUE.equals(fields.get("leads"))
                    ? "leader"
                    : Boolean.FALSE.equals(fields.get("votes")) ? "no vote" : "follower";
        }

        String lag() {
            return fields.get("lagMillis") instanceof Long millis && millis >= 0 ? millis + " ms" : "-";
        }
    }

    /** Asks all nodes at the same time. */
    static List<Node> ask(Session session) {
        List<CompletableFuture<Node>> answers = new ArrayList<>();
        for (int i = 0; i < session.adminPorts().size(); i++) {
            Endpoint admin = session.adminPorts().get(i);
            Endpoint address =
                    session.endpoints().size() == session.adminPorts().size()
                            ? session.endpoints().get(i)
                            : admin;
            answers.add(CompletableFuture.supplyAsync(
                    () -> ask(session.adminPort(admin), address), command -> new Thread(command, "ask").start()));
        }
        return withoutStrangers(answers.stream().map(CompletableFuture::join).toList());
    }

    /**
     * A node that began a cluster of its own, without its data for instance, is well by itself. Among the others it is
     * not: what the most are of is the cluster.
     */
    static List<Node> withoutStrangers(List<Node> nodes) {
        Map<String, Long> clusters = nodes.stream()
                .map(StatusTable::cluster)
                .flatMap(Optional::stream)
                .collect(Collectors.groupingBy(id -> id, Collectors.counting()));
        if (clusters.size() < 2) {
            return nodes;
        }
        long most = Collections.max(clusters.values());
        boolean isClear = Collections.frequency(clusters.values(), most) == 1;
        return nodes.stream()
                .map(node -> cluster(node)
                        .filter(id -> !isClear || !Long.valueOf(most).equals(clusters.get(id)))
                        .map(id -> new Node(
                                node.address(),
                                node.fields(),
                                "is of another cluster than the others: its clusterId is " + id))
                        .orElse(node))
                .toList();
    }

    /** The id of the cluster that a node is of; nothing if it knows none yet. */
    private static Optional<String> cluster(Node node) {
        return Optional.ofNullable(node.fields().get("clusterId"))
                .map(String::valueOf)
                .filter(id -> !id.matches("0*"));
    }

    private static Node ask(AdminPort port, Endpoint address) {
        try {
            Map<String, Object> fields = port.status();
            return new Node(address, fields, port.get("/health").body().strip());
        } catch (IOException e) {
            return new Node(address, Map.of(), "no answer on " + port.endpoint() + ": " + Reasons.of(e));
        }
    }

    /** Shows all nodes; NO if one of them is not well. */
    static ExitCode run(Arguments arguments, Session session) {
        List<Node> nodes = ask(session);
        if (session.output().isJson()) {
            session.output()
                    .object(Map.of(
                            "nodes", nodes.stream().map(StatusTable::json).toList()));
        } else {
            lines(nodes).forEach(session.output()::line);
        }
        return nodes.stream().allMatch(Node::isWell) ? ExitCode.OK : ExitCode.NO;
    }

    /** All that a node says, and how it was understood. */
    static Map<String, Object> json(Node node) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("address", node.address.toString());
        members.put("ok", node.isWell());
        members.put("state", node.state);
        members.put("role", node.role());
        members.putAll(node.fields);
        return members;
    }

    /** The table. */
    static List<String> lines(List<Node> nodes) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (Node node : nodes) {
            rows.add(List.of(
                    node.field("node"),
                    node.address.toString(),
                    node.role(),
                    node.field("term"),
                    node.field("appliedIndex"),
                    node.lag(),
                    node.field("version"),
                    node.field("format"),
                    node.state));
        }
        return aligned(rows);
    }

    /** Columns as wide as their widest cell, two spaces apart. */
    static List<String> aligned(List<List<String>> rows) {
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    /** The value of a number field; null if it is none. */
    static @Nullable Long number(Map<String, Object> fields, String name) {
        return fields.get(name) instanceof Long number ? number : null;
    }

    /** A field in seconds, as people say it; a dash if it is not known. */
    static String age(Map<String, Object> fields, String name) {
        Long seconds = number(fields, name);
        if (seconds == null || seconds < 0) {
            return "-";
        }
        if (seconds < 120) {
            return seconds + " s";
        }
        if (seconds < 2 * 3600) {
            return seconds / 60 + " min";
        }
        return seconds < 2 * 86_400 ? seconds / 3600 + " h" : seconds / 86_400 + " d";
    }
}
