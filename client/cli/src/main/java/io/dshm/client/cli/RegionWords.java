package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Tool;
import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Words about the limits of regions; they go to the port for operators of any node that answers. */
final class RegionWords {

    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final List<String> HEADINGS = List.of("REGION", "BYTES", "USED", "ENTRIES", "POLICY");

    static final List<Word> ALL = List.of(new Word(
            "region",
            List.of(),
            "Limits what a region may take in memory, or lists the limits.",
            List.of(
                    new Parameter(
                            "ACTION", "1", "set: limits the region NAME. list: shows all limits, and what is used."),
                    new Parameter("NAME", "0..1", "set: the region; : is the default region.")),
            List.of(
                    new Option("--bytes", "N", "set: what its entries may take; 0 takes the limit away."),
                    new Option(
                            "--policy",
                            "P",
                            "set: refuse (if left out): a full region refuses growth with out_of_memory; evict: the entries longest not"
                                    + " written go.")),
            new Tool(RegionWords::region)));

    private RegionWords() {}

    private static ExitCode region(Arguments arguments, Session session) throws CliException {
        return switch (arguments.required(0)) {
            case "set" -> set(arguments, session);
            case "list" -> list(session);
            default -> throw CliException.usage("there is no 'region " + arguments.required(0) + "', but set and list");
        };
    }

    private static ExitCode set(Arguments arguments, Session session) throws CliException {
        String bytes = arguments.option("--bytes");
        String policy = arguments.option("--policy");
        if (bytes == null) {
            throw CliException.usage("region set takes --bytes N");
        }
        String path = "/region?name=" + URLEncoder.encode(arguments.required(1), StandardCharsets.UTF_8) + "&bytes="
                + URLEncoder.encode(bytes, StandardCharsets.UTF_8) + "&policy="
                + URLEncoder.encode(policy == null ? "refuse" : policy, StandardCharsets.UTF_8);
        ask(session, port -> port.post(path));
        if (session.output().isJson()) {
            session.output().object(Map.of("ok", true));
        }
        return ExitCode.OK;
    }

    private static ExitCode list(Session session) throws CliException {
        String body = ask(session, port -> port.get("/regions")).body();
        List<?> regions = Json.object(body).get("regions") instanceof List<?> list ? list : List.of();
        if (session.output().isJson()) {
            Map<String, Object> said = new LinkedHashMap<>();
            said.put("regions", regions);
            session.output().object(said);
            return ExitCode.OK;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (Object region : regions) {
            Map<?, ?> fields = (Map<?, ?>) region;
            rows.add(List.of(
                    String.valueOf(fields.get("region")),
                    String.valueOf(fields.get("bytes")),
                    String.valueOf(fields.get("usedBytes")),
                    String.valueOf(fields.get("entries")),
                    String.valueOf(fields.get("policy"))));
        }
        StatusTable.aligned(rows).forEach(session.output()::line);
        return ExitCode.OK;
    }

    /** What is asked of a node. */
    @FunctionalInterface
    private interface Question {
        AdminPort.Page ask(AdminPort port) throws IOException;
    }

    /** To set a limit again changes nothing, so that the next node is asked whatever became of the first. */
    private static AdminPort.Page ask(Session session, Question question) throws CliException {
        @Nullable String last = null;
        for (Endpoint port : session.adminPorts()) {
            try {
                AdminPort.Page page = question.ask(session.adminPort(port, PATIENCE));
                if (page.status() == OK) {
                    return page;
                }
                if (page.status() == BAD_REQUEST) {
                    throw CliException.usage(page.body().strip());
                }
                last = port + ": " + page.body().strip();
            } catch (IOException e) {
                last = port + ": " + Reasons.of(e);
            }
        }
        throw new CliException(
                ExitCode.UNAVAILABLE,
                "unavailable",
                last + "\nTry again; dshm status shows what is wrong. --admin names other nodes");
    }
}
