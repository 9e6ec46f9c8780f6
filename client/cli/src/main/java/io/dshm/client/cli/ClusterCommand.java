package io.dshm.client.cli;

import io.dshm.client.cli.AdminPort.Page;
import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code dshm cluster}: the members as the leader knows them, what each of them says of itself, and changes, which the
 * leader makes. What the leader cannot do now is asked again until the time is over; each of these requests may be
 * repeated.
 */
final class ClusterCommand {

    private static final List<String> HEADINGS = List.of(
            "NODE",
            "ADDRESS",
            "ROLE",
            "TERM",
            "SINCE",
            "APPLIED",
            "LAG",
            "VERSION",
            "FORMAT",
            "ENTRIES",
            "MEMORY",
            "DISK",
            "SNAPSHOT",
            "STATE");
    private static final long MEBIBYTE = 1024 * 1024;
    private static final long PAUSE_MILLIS = 200;
    private static final int OK = 200;
    private static final int CONFLICT = 409;

    /** Errors after which the leader, or another one, may do it a moment later. */
    private static final Set<String> PASSING = Set.of("not_leader", "not_caught_up", "busy");

    /**
     * One of the list.
     *
     * @param role leader, voter, learner, or none: it is on the list only
     */
    private record Member(String node, String address, String role) {

        static Member of(Object fields) {
            if (!(fields instanceof Map<?, ?> map)) {
                throw new IllegalArgumentException("no member: " + fields);
            }
            return new Member(
                    String.valueOf(map.get("node")),
                    String.valueOf(map.get("address")),
                    String.valueOf(map.get("role")));
        }

        boolean votes() {
            return role.equals("leader") || role.equals("voter");
        }
    }

    private final Session session;

    /** What each node says of itself. */
    private List<StatusTable.Node> nodes = List.of();

    private ClusterCommand(Session session) {
        this.session = session;
    }

    static ExitCode run(Arguments arguments, Session session) throws CliException {
        ClusterCommand command = new ClusterCommand(session);
        String action = arguments.required(0);
        String member = arguments.at(1);
        return switch (action) {
            case "status" -> command.status();
            case "health" -> command.health();
            case "add", "promote", "remove" -> command.change(action, named(action, member));
            case "transfer-leader" -> command.change(action, member == null ? "" : member);
            case "replace" -> command.replace(named(action, member), named(action, arguments.at(2)));
            default ->
                throw CliException.usage("there is no 'cluster " + action
                        + "', but status, health, add, promote, remove, replace and transfer-leader");
        };
    }

    private static String named(String action, @Nullable String member) throws CliException {
        if (member == null) {
            throw CliException.usage("cluster " + action + " needs "
                    + (action.equals("add")
                            ? "NAME=HOST:RAFT-PORT"
                            : action.equals("replace") ? "NAME and NAME=HOST:RAFT-PORT" : "a member's name"));
        }
        return member;
    }

    /** The list of members: the leader's, or that of any node that knows one. */
    private List<Member> members() throws CliException {
        nodes = StatusTable.ask(session);
        List<String> troubles = new ArrayList<>();
        List<Endpoint> ports = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            boolean leads = Boolean.TRUE.equals(nodes.get(i).fields().get("leads"));
            ports.add(leads ? 0 : ports.size(), session.adminPorts().get(i));
        }
        for (Endpoint port : ports) {
            try {
                Page page = session.adminPort(port).get("/cluster");
                if (page.status() == OK && Json.object(page.body()).get("members") instanceof List<?> list) {
                    return list.stream().map(Member::of).toList();
                }
                troubles.add(port + ": " + page.body().strip());
            } catch (IOException e) {
                troubles.add(port + ": " + Reasons.of(e));
            } catch (IllegalArgumentException e) {
                troubles.add(port + ": this is no admin port of this release");
            }
        }
        throw new CliException(
                ExitCode.UNAVAILABLE,
                "unavailable",
                "no node says who the members are\n  " + String.join("\n  ", troubles)
                        + "\nis a node running there? name their admin ports with --admin HOST:PORT,HOST:PORT");
    }

    /** What that member says of itself; null if none of the admin ports is its own. */
    private StatusTable.@Nullable Node said(String name) {
        return nodes.stream()
                .filter(node -> name.equals(node.fields().get("node")))
                .findFirst()
                .orElse(null);
    }

    private static String state(StatusTable.@Nullable Node said) {
        return said == null ? "no answer at any of the admin ports" : said.state();
    }

    private ExitCode status() throws CliException {
        List<Member> members = members();
        List<Member> shown = new ArrayList<>(members);
        shown.addAll(removed(members));
        if (session.output().isJson()) {
            List<Object> all = new ArrayList<>();
            for (Member member : shown) {
                StatusTable.Node said = said(member.node);
                Map<String, Object> fields = new LinkedHashMap<>(said == null ? Map.of() : StatusTable.json(said));
                fields.put("state", state(said));
                fields.put("node", member.node);
                fields.put("address", member.address);
                fields.put("role", member.role);
                all.add(fields);
            }
            session.output().object(Map.of("members", all));
        } else {
            List<List<String>> rows = new ArrayList<>();
            rows.add(HEADINGS);
            shown.forEach(member -> rows.add(row(member)));
            StatusTable.aligned(rows).forEach(session.output()::line);
        }
        return members.stream().allMatch(member -> state(said(member.node)).equals("ok")) ? ExitCode.OK : ExitCode.NO;
    }

    /** Nodes that run and were asked, and know that they are no members any more. */
    private List<Member> removed(List<Member> members) {
        return nodes.stream()
                .filter(node -> Boolean.TRUE.equals(node.fields().get("removed")))
                .filter(node -> members.stream()
                        .noneMatch(member -> member.node.equals(node.fields().get("node"))))
                .map(node -> new Member(node.field("node"), node.address().toString(), "removed"))
                .toList();
    }

    private List<String> row(Member member) {
        StatusTable.Node said = said(member.node);
        StatusTable.Node node = Objects.requireNonNullElse(
                said, new StatusTable.Node(session.endpoints().get(0), Map.of(), state(said)));
        return List.of(
                member.node,
                member.address,
                member.role,
                node.field("term"),
                StatusTable.age(node.fields(), "leaderSeconds"),
                node.field("appliedIndex"),
                node.lag(),
                node.field("version"),
                node.field("format"),
                node.field("entries"),
                mebibytes(node, "stateBytes"),
                mebibytes(node, "diskFreeBytes"),
                StatusTable.age(node.fields(), "snapshotAgeSeconds"),
                node.state());
    }

    private static String mebibytes(StatusTable.Node node, String field) {
        Long bytes = StatusTable.number(node.fields(), field);
        return bytes == null ? "-" : bytes / MEBIBYTE + " MiB";
    }

    private ExitCode health() throws CliException {
        List<Member> members = members();
        List<String> problems = new ArrayList<>();
        int voters = 0;
        int well = 0;
        for (Member member : members) {
            StatusTable.Node said = said(member.node);
            boolean isWell = said != null && said.isWell();
            voters += member.votes() ? 1 : 0;
            well += member.votes() && isWell ? 1 : 0;
            if (!isWell) {
                problems.add(member.node + ": " + state(said));
            } else if (!member.votes()) {
                problems.add(member.node + ": does not vote yet; dshm cluster promote " + member.node);
            }
        }
        int spare = well - (voters / 2 + 1);
        String sentence = well + " of " + voters + " voting nodes are well: "
                + (spare < 0 ? "the cluster stands still" : spare + " more may fail");
        if (session.output().isJson()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("voters", voters);
            fields.put("well", well);
            fields.put("mayFail", Math.max(0, spare));
            fields.put("problems", problems);
            session.output().object(fields);
        } else {
            problems.forEach(session.output()::line);
            session.output().line(sentence);
        }
        return problems.isEmpty() ? ExitCode.OK : ExitCode.NO;
    }

    private ExitCode change(String action, String member) throws CliException {
        String done = done(action, member);
        if (session.output().isJson()) {
            session.output().object(Map.of("message", done));
        } else {
            session.output().line(done);
        }
        return ExitCode.OK;
    }

    /**
     * A dead node for a new one: first the new one, because the old one may still be needed for a majority. Nothing is
     * removed before it is known that the new one can be added.
     */
    private ExitCode replace(String old, String member) throws CliException {
        String name = member.replaceFirst("=.*", "");
        List<Member> members = members();
        Optional<Member> replaced =
                members.stream().filter(known -> known.node.equals(old)).findFirst();
        if (replaced.isEmpty()) {
            return replaceAgain(old, name, members);
        }
        requireFree(name, member, members);
        if (!name.equals(old)) {
            change("add", member);
            change("promote", name);
            return change("remove", old);
        }
        boolean isThere = (name + "=" + replaced.get().address + ":").startsWith(member + ":");
        if (!isThere) {
            change("remove", old);
        }
        change("add", member);
        return change("promote", name);
    }

    /** The old one is no member: an earlier call may have done that. */
    private ExitCode replaceAgain(String old, String name, List<Member> members) throws CliException {
        if (members.stream().anyMatch(known -> known.node.equals(name) && known.votes())) {
            session.output().line(old + " is no member, and " + name + " votes");
            return ExitCode.OK;
        }
        throw new CliException(
                ExitCode.REFUSED,
                "refused",
                "no member has the name " + old + ", so nothing is changed; if it is removed already:"
                        + " dshm cluster add, then promote");
    }

    private static void requireFree(String name, String member, List<Member> members) throws CliException {
        if (!member.matches("[^=]+=.+:\\d+")) {
            throw CliException.usage("the new node is named NAME=HOST:RAFT-PORT, not " + member);
        }
        String address = member.substring(name.length() + 1) + ":";
        for (Member known : members) {
            boolean isSame = address.startsWith(known.address + ":") || (known.address + ":").startsWith(address);
            if (isSame && !known.node.equals(name)) {
                throw new CliException(ExitCode.REFUSED, "refused", known.node + " has the address " + known.address);
            }
        }
    }

    /** Has the leader do something, as soon as there is one that can. */
    private String done(String action, String member) throws CliException {
        long deadline = System.nanoTime() + session.timeout().toNanos();
        while (true) {
            String trouble = "no leader answers at the admin ports " + session.adminPorts()
                    + "; the ports of all nodes are to be named with --admin or DSHM_ADMIN";
            for (Endpoint endpoint : session.adminPorts()) {
                AdminPort port = session.adminPort(endpoint);
                if (leads(port)) {
                    try {
                        Page page = port.post(
                                "/cluster/" + action + "?member=" + URLEncoder.encode(member, StandardCharsets.UTF_8));
                        trouble = outcome(page);
                        if (trouble.isEmpty()) {
                            return String.valueOf(Json.object(page.body()).get("message"));
                        }
                    } catch (IOException e) {
                        throw new CliException(
                                ExitCode.UNKNOWN,
                                "unknown_outcome",
                                endpoint + " was asked, and has not answered: " + Reasons.of(e)
                                        + "\ndshm cluster status shows whether it is done; it may be asked again");
                    }
                }
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new CliException(
                        ExitCode.UNAVAILABLE,
                        "unavailable",
                        trouble + "\nit may be asked again, with a longer --timeout");
            }
            session.output().progress(trouble);
            pause();
        }
    }

    private static boolean leads(AdminPort port) {
        try {
            return Boolean.TRUE.equals(port.status().get("leads"));
        } catch (IOException e) {
            return false;
        }
    }

    /** Empty if it is done; why not, if it may be done a moment later. */
    private static String outcome(Page page) throws CliException {
        if (page.status() == OK) {
            return "";
        }
        if (page.status() != CONFLICT) {
            return page.body().strip();
        }
        Map<String, Object> fields = Json.object(page.body());
        String error = String.valueOf(fields.get("error"));
        String message = String.valueOf(fields.get("message"));
        if (PASSING.contains(error)) {
            return message;
        }
        throw new CliException(error.equals("unknown_outcome") ? ExitCode.UNKNOWN : ExitCode.REFUSED, error, message);
    }

    private static void pause() throws CliException {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(
                    ExitCode.UNKNOWN, "interrupted", "interrupted; dshm cluster status shows what is done");
        }
    }
}
