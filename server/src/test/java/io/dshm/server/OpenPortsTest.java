package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.config.ConfigLoader;
import io.dshm.server.config.ServerConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenPortsTest {

    private static final String FILES = " --tls-certificate=/c --tls-key=/k --tls-ca=/a";

    private static OpenPorts ports(String arguments) {
        ServerConfig config = new ConfigLoader(Map.of(), new Properties(), new PrintWriter(new StringWriter()))
                .load(arguments.split(" "))
                .orElseThrow()
                .config();
        return new OpenPorts(config);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--members=n1=10.0.0.1:7321",
                "--members=n1=127.0.0.1:7321 --raft-bind-address=0.0.0.0",
                "--members=n1=10.0.0.1:7321 --peer-tls=both" + FILES
            })
    void ports_between_nodes_that_others_reach_need_tls(String arguments) {
        IOException refused =
                assertThrows(IOException.class, () -> ports(arguments).check());
        assertTrue(String.valueOf(refused.getMessage()).contains("insecure-peers=true"), refused::toString);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--node=n1",
                "--members=n1=127.0.0.1:7321",
                "--members=n1=[::1]:7321",
                "--members=n1=10.0.0.1:7321 --raft-bind-address=127.0.0.1",
                "--members=n1=10.0.0.1:7321 --insecure-peers=true",
                "--members=n1=10.0.0.1:7321 --peer-tls=on" + FILES
            })
    void those_that_are_safe_or_said_to_be_do_not(String arguments) {
        assertDoesNotThrow(() -> ports(arguments).check());
    }

    @Test
    void clients_ports_are_only_warned_of() {
        assertDoesNotThrow(() -> ports("--bind-address=0.0.0.0 --admin-address=0.0.0.0 --admin-port=8321"
                        + " --admin-token-file=/etc/token")
                .check());
    }
}
