package io.dshm.client.cli;

import io.dshm.client.cli.AdminPort.Page;
import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code dshm tls reload}: has each node read its certificates and key again. */
final class TlsCommand {

    private static final int OK = 200;

    private TlsCommand() {}

    /** NO if a node has not, or did not answer; it may be asked again. */
    static ExitCode run(Arguments arguments, Session session) throws CliException {
        String action = arguments.required(0);
        if (!action.equals("reload")) {
            throw CliException.usage("there is no 'tls " + action + "', but reload");
        }
        boolean all = true;
        List<Object> outcomes = new ArrayList<>();
        for (Endpoint endpoint : session.adminPorts()) {
            Map<String, Object> outcome = reload(session.adminPort(endpoint));
            boolean done = Boolean.TRUE.equals(outcome.get("ok"));
            all &= done;
            outcome.put("address", endpoint.toString());
            outcomes.add(outcome);
            if (!session.output().isJson()) {
                session.output().line(endpoint + (done ? ": " : ": not reloaded: ") + outcome.get("message"));
            }
        }
        if (session.output().isJson()) {
            session.output().object(Map.of("nodes", outcomes));
        }
        return all ? ExitCode.OK : ExitCode.NO;
    }

    private static Map<String, Object> reload(AdminPort port) {
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("ok", false);
        try {
            Page page = port.post("/tls/reload");
            String body = page.body().strip();
            outcome.put("ok", page.status() == OK);
            outcome.put("message", body.startsWith("{") ? Json.object(body).get("message") : body);
        } catch (IOException e) {
            outcome.put("message", Reasons.of(e));
        }
        return outcome;
    }
}
