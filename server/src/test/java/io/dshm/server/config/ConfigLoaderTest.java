package io.dshm.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {

    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private final Properties properties = new Properties();
    private final StringWriter out = new StringWriter();

    private Optional<ConfigLoader.Loaded> tryLoad(String... arguments) {
        return new ConfigLoader(environment, properties, new PrintWriter(out)).load(arguments);
    }

    private ServerConfig load(String... arguments) {
        return tryLoad(arguments).orElseThrow().config();
    }

    private void assertRefused(String expected, String... arguments) {
        ConfigException refused = assertThrows(ConfigException.class, () -> tryLoad(arguments));
        assertTrue(String.valueOf(refused.getMessage()).contains(expected), refused::toString);
    }

    @Test
    void without_settings_it_is_one_node_on_the_loopback_address() {
        ServerConfig config = load();
        assertEquals(
                new ServerConfig(
                        "dshm",
                        "n1",
                        List.of(new Member("n1", "127.0.0.1", 7321, 7331)),
                        false,
                        "127.0.0.1",
                        4321,
                        new ServerConfig.Sharedance(
                                "127.0.0.1", 0, 4096, 1800, 60, 33_554_432, ReadMode.LINEARIZABLE, "", List.of()),
                        "127.0.0.1",
                        true,
                        new ServerConfig.Tls(
                                TlsMode.OFF,
                                TlsMode.OFF,
                                TlsMode.OFF,
                                TlsMode.OFF,
                                false,
                                null,
                                ClientCertificates.OFF,
                                null,
                                10),
                        "127.0.0.1",
                        0,
                        null,
                        Path.of("dshm-data").toAbsolutePath(),
                        5000,
                        ReadMode.LOCAL,
                        0,
                        750,
                        3600,
                        268_435_456,
                        new ServerConfig.Backups(null, 3600, 24, 0),
                        new ServerConfig.Disk(2_147_483_648L, 67_108_864),
                        0,
                        33_554_432,
                        config.valueMemoryBytes(),
                        config.replyMemoryBytes(),
                        10_000,
                        60,
                        10,
                        config.threads()),
                config);
        assertTrue(config.threads() >= 1);
        assertTrue(config.valueMemoryBytes() >= config.valueBytesMax());
        assertTrue(config.replyMemoryBytes() >= config.valueBytesMax());
    }

    @Test
    void every_key_can_be_set_by_flag_environment_and_file() throws IOException {
        Map<String, String> settings = new HashMap<>(Map.of(
                "node", "b",
                "members", "a=h1:1001,b=h2:1002:1999",
                "cluster", "c1",
                "data-dir", "/tmp/x",
                "bind-address", "0.0.0.0",
                "port", "4000",
                "raft-bind-address", "10.0.0.9",
                "admin-address", "10.0.0.8",
                "admin-port", "8000"));
        settings.putAll(Map.of("admin-token-file", "/tmp/token", "log-format", "json"));
        settings.putAll(Map.of(
                "request-timeout-millis", "1001",
                "election-timeout-millis", "1002",
                "snapshot-interval-seconds", "1003",
                "snapshot-log-bytes", "10004",
                "value-bytes-max", "1005",
                "value-memory-bytes", "1000006",
                "connections-max", "1007",
                "stall-seconds", "1008",
                "shutdown-seconds", "109",
                "threads", "10"));
        settings.put("reply-memory-bytes", "1010");
        settings.put("memory-bytes", "8388608");
        settings.put("log-bytes-max", "536870912");
        settings.put("disk-reserve-bytes", "16777216");
        settings.putAll(Map.of("log-dir", "/tmp/logs", "read-mode", "linearizable", "max-staleness-millis", "2000"));
        settings.putAll(Map.of(
                "backup-dir", "/tmp/backups",
                "backup-interval-seconds", "1011",
                "backup-keep", "1012",
                "backup-keep-seconds", "1013"));
        settings.putAll(Map.of(
                "sharedance-port", "1042",
                "sharedance-address", "10.0.0.7",
                "sharedance-backlog", "1043",
                "sharedance-expiration-seconds", "1044",
                "sharedance-timeout-seconds", "1045",
                "sharedance-value-bytes-max", "1001",
                "sharedance-read-mode", "local",
                "peer-address-check", "false"));
        settings.putAll(Map.of(
                "tls", "on",
                "sharedance-tls", "off",
                "admin-tls", "both",
                "tls-certificate", "/tls/c.pem",
                "tls-key", "/tls/k.pem",
                "tls-ca", "/tls/a.pem",
                "tls-client-certificates", "needed",
                "tls-reload-seconds", "11"));
        settings.putAll(Map.of(
                "peer-tls", "both",
                "peer-certificate", "/tls/pc.pem",
                "peer-key", "/tls/pk.pem",
                "peer-ca", "/tls/pa.pem",
                "insecure-peers", "true"));
        ServerConfig expected = new ServerConfig(
                "c1",
                "b",
                List.of(new Member("a", "h1", 1001, 1011), new Member("b", "h2", 1002, 1999)),
                true,
                "0.0.0.0",
                4000,
                new ServerConfig.Sharedance("10.0.0.7", 1042, 1043, 1044, 1045, 1001, ReadMode.LOCAL, "", List.of()),
                "10.0.0.9",
                false,
                new ServerConfig.Tls(
                        TlsMode.ON,
                        TlsMode.OFF,
                        TlsMode.BOTH,
                        TlsMode.BOTH,
                        true,
                        new ServerConfig.Pem(Path.of("/tls/c.pem"), Path.of("/tls/k.pem"), Path.of("/tls/a.pem")),
                        ClientCertificates.NEEDED,
                        new ServerConfig.Pem(Path.of("/tls/pc.pem"), Path.of("/tls/pk.pem"), Path.of("/tls/pa.pem")),
                        11),
                "10.0.0.8",
                8000,
                Path.of("/tmp/token"),
                Path.of("/tmp/x"),
                1001,
                ReadMode.LINEARIZABLE,
                2000,
                1002,
                1003,
                10_004,
                new ServerConfig.Backups(Path.of("/tmp/backups"), 1011, 1012, 1013),
                new ServerConfig.Disk(536_870_912, 16_777_216),
                8_388_608,
                1005,
                1_000_006,
                1010,
                1007,
                1008,
                109,
                10);

        String[] flags = settings.entrySet().stream()
                .map(e -> "--" + e.getKey() + "=" + e.getValue())
                .toArray(String[]::new);
        assertEquals(expected, load(flags));
        assertEquals(
                Optional.of(Path.of("/tmp/logs")), tryLoad(flags).orElseThrow().logDir());

        Path file = folder.resolve("dshm.conf");
        Properties inFile = new Properties();
        inFile.putAll(settings);
        try (var writer = Files.newBufferedWriter(file)) {
            inFile.store(writer, null);
        }
        assertEquals(expected, load("--config", file.toString()));

        settings.forEach((key, value) ->
                environment.put("DSHM_" + key.toUpperCase(java.util.Locale.ROOT).replace('-', '_'), value));
        assertEquals(expected, load());
    }

    @Test
    void a_flag_wins_over_the_environment_and_that_over_the_file() throws IOException {
        Path file = Files.writeString(folder.resolve("dshm.conf"), "port=1\nadmin-port=1\nthreads=1\n");
        environment.put("DSHM_PORT", "2");
        environment.put("DSHM_ADMIN_PORT", "2");
        ServerConfig config = load("--config", file.toString(), "--port", "3");
        assertEquals(3, config.port());
        assertEquals(2, config.adminPort());
        assertEquals(1, config.threads());
    }

    @Test
    void blanks_at_the_end_of_a_line_of_the_file_are_no_part_of_the_setting() throws IOException {
        Path file = folder.resolve("blanks.conf");
        Files.writeString(file, "data-dir=/x  \nport=1 \t\nnode=n1\r\n");
        ServerConfig config = load("--config", file.toString());
        assertEquals(Path.of("/x"), config.dataDir());
        assertEquals(1, config.port());
        assertEquals("n1", config.node());
    }

    @Test
    void the_older_programs_properties_work() {
        properties.setProperty("ngx-distributed-shm.port", "40000");
        properties.setProperty("ngx-distributed-shm.bind_address", "192.168.0.1");
        properties.setProperty("ngx-distributed-shm.log_dir", "/tmp/old");
        assertEquals(40_000, load().port());
        assertEquals("192.168.0.1", load().bindAddress());
        assertEquals(Optional.of(Path.of("/tmp/old")), tryLoad().orElseThrow().logDir());
    }

    @Test
    void what_cannot_be_is_refused_with_the_key_and_the_reason() throws IOException {
        assertRefused("port: 0 is not 1 to 65535", "--port", "0");
        assertRefused("--port", "--port", "x");
        assertRefused("--unknown", "--unknown", "x");
        assertRefused("not among the members [a, b]", "--node", "c", "--members", "a=h:1,b=h:2");
        assertRefused("name=host:raft-port", "--members", "n1=h");
        assertRefused("occurs twice", "--members", "n1=h:1,n1=h:2");
        assertRefused("name=host:raft-port", "--members", "n1=::1:7321");
        assertRefused("name=host:raft-port", "--members", "n1=[::1:7321");
        assertRefused("occurs twice", "--members", "n1=[::1]:1,n2=[::1]:11");
        assertRefused("h:11 occurs twice", "--members", "n1=h:1,n2=h:11");
        assertRefused("--read-mode", "--read-mode", "fast");
        assertRefused("max-staleness-millis: 50 is not 100 to 86400000", "--max-staleness-millis", "50");
        assertRefused("value-memory-bytes", "--value-memory-bytes", "1");
        // The heap that the longest MULTI takes: a node must be able to take one.
        assertRefused("524288", "--value-memory-bytes", "524287", "--value-bytes-max", "1000");
        assertRefused("reply-memory-bytes", "--reply-memory-bytes", "1");
        assertRefused("-XX:MaxDirectMemorySize", "--reply-memory-bytes", "" + Limits.processMemoryBytes());
        assertRefused("memory-bytes", "--memory-bytes", "8388607");
        assertRefused("there is no file", "--config", "/does/not/exist");
        Path file = Files.writeString(folder.resolve("dshm.conf"), "prot=1\n");
        assertRefused("keys that do not exist: [prot]", "--config", file.toString());
        environment.put("DSHM_THREADS", "65");
        assertRefused("threads: 65 is not 0 to 64");
    }

    @Test
    void help_names_every_option_and_its_default() {
        assertTrue(tryLoad("--help").isEmpty());
        String help = out.toString();
        for (String expected : new String[] {"--members", "--data-dir", "default: 4321", "DSHM_", "Exit status"}) {
            assertTrue(help.contains(expected), help);
        }
        help.lines().forEach(line -> assertTrue(line.length() <= 80, line));
    }

    @Test
    void an_admin_port_that_others_reach_needs_a_token() {
        for (String address : List.of("0.0.0.0", "10.0.0.8", "::")) {
            assertRefused("admin-token-file", "--admin-port", "8321", "--admin-address", address);
            assertEquals(0, load("--admin-address", address).adminPort());
            load("--admin-port", "8321", "--admin-address", address, "--admin-token-file", "/etc/token");
        }
        for (String address : List.of("127.0.0.1", "127.0.0.7", "::1", "localhost")) {
            load("--admin-port", "8321", "--admin-address", address);
        }
    }

    @Test
    void the_log_is_for_people_unless_it_is_to_be_for_programs() {
        assertFalse(tryLoad().orElseThrow().logsJson());
        assertFalse(tryLoad("--log-format", "text").orElseThrow().logsJson());
        assertTrue(tryLoad("--log-format", "json").orElseThrow().logsJson());
        assertRefused("log-format", "--log-format", "xml");
    }

    @Test
    void tls_between_nodes_has_the_files_of_clients_unless_it_has_its_own() {
        ServerConfig.Tls tls = load(
                        "--peer-tls=on", "--tls-certificate=/c", "--tls-key=/k", "--tls-ca=/a", "--peer-ca=/other")
                .tls();
        assertEquals(new ServerConfig.Pem(Path.of("/c"), Path.of("/k"), Path.of("/other")), tls.peerFiles());
        assertNull(tls.clientFiles());
    }

    @Test
    void tls_without_its_files_is_refused() {
        assertRefused("needs tls-certificate", "--tls=on");
        assertRefused("needs tls-key", "--admin-tls=both", "--tls-certificate=/c");
        assertRefused("needs peer-ca or tls-ca", "--peer-tls=on", "--tls-certificate=/c", "--tls-key=/k");
        assertRefused(
                "needs tls-ca", "--tls=on", "--tls-certificate=/c", "--tls-key=/k", "--tls-client-certificates=wanted");
        assertRefused("tls is off", "--tls-client-certificates=needed");
    }
}
