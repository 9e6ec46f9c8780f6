package io.dshm.client.cli;

import io.dshm.client.ClientTls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** TLS as options and the environment ask for it. */
final class Tls {

    private Tls() {}

    /** Null for plain connections. Any of the options asks for TLS, so that nobody goes without by mistake. */
    static @Nullable ClientTls of(Arguments arguments, Map<String, String> environment) throws CliException {
        String authorities = named(arguments, "--ca", environment, "DSHM_CA");
        String certificate = named(arguments, "--cert", environment, "DSHM_CERT");
        String key = named(arguments, "--key", environment, "DSHM_KEY");
        String serverName = named(arguments, "--server-name", environment, "DSHM_SERVER_NAME");
        boolean asked = arguments.has("--tls") || "1".equals(environment.get("DSHM_TLS"));
        if (!asked && Stream.of(authorities, certificate, key, serverName).allMatch(option -> option == null)) {
            return null;
        }
        if ((certificate == null) != (key == null)) {
            throw CliException.usage("--cert and --key go together");
        }
        try {
            ClientTls tls = ClientTls.ofPem(path(authorities), path(certificate), path(key));
            return serverName == null ? tls : tls.withServerName(serverName);
        } catch (IOException e) {
            throw CliException.usage(String.valueOf(e.getMessage()));
        }
    }

    private static @Nullable String named(
            Arguments arguments, String option, Map<String, String> environment, String variable) {
        String given = arguments.option(option);
        return given == null ? environment.get(variable) : given;
    }

    private static @Nullable Path path(@Nullable String name) {
        return name == null ? null : Path.of(name);
    }
}
