package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.File;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A start script that was written for ngx-distributed-shm starts this program as well. */
class OldPropertiesIT {

    /** The example in the readme of ngx-distributed-shm. */
    private static final String LOGBACK = """
            <?xml version="1.0" encoding="UTF-8"?>
            <configuration>

                <contextName>ngx-dshm</contextName>
                <jmxConfigurator/>

                <appender name="FILE-GLOBAL" class="ch.qos.logback.core.rolling.RollingFileAppender">
                    <file>${ngx-distributed-shm.log_dir}/ngx-dshm.log</file>
                    <rollingPolicy class="ch.qos.logback.core.rolling.TimeBasedRollingPolicy">
                        <fileNamePattern>${ngx-distributed-shm.log_dir}/ngx-dshm-%d{yyyy-MM-dd}.log</fileNamePattern>
                        <maxHistory>30</maxHistory>
                    </rollingPolicy>
                    <encoder>
                        <pattern>%d{yyyy-MM-dd HH:mm:ss.SSS,Europe/Paris} [%thread] %-5level %logger{36} - %msg %xEx{20}%n</pattern>
                    </encoder>
                </appender>

                <appender name="ASYNC" class="ch.qos.logback.classic.AsyncAppender">
                    <appender-ref ref="FILE-GLOBAL" />
                </appender>


                <root level="info">
                    <appender-ref ref="ASYNC"/>
                </root>

            </configuration>
            """;

    /** An address of this machine that nobody gets by default. */
    private static final String ADDRESS = "127.0.0.2";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void port_address_log_folder_and_logback_file_are_heeded() throws IOException, InterruptedException {
        NodeProcess node = processes.newNode();
        Path conf = Files.createDirectory(folder.resolve("conf"));
        Path logs = Files.createDirectory(folder.resolve("logs"));
        Files.writeString(conf.resolve("logback.xml"), LOGBACK);
        start(node, logs, "-cp", NodeProcess.jar() + File.pathSeparator + conf, "io.dshm.server.Main");
        InetSocketAddress address = new InetSocketAddress(ADDRESS, node.port());
        Await.until("it counts", () -> {
            try (DshmConnection connection = DshmConnection.connect(address, TIMEOUT, TIMEOUT)) {
                return connection.incr("old::n", 1) > 0;
            }
        });
        assertThrows(ConnectException.class, node::connect, "it listens nowhere else");
        node.terminate();
        assertEquals(0, node.awaitEnd());
        String log = Files.readString(logs.resolve("ngx-dshm.log"));
        assertTrue(
                Pattern.compile("\\[main\\] INFO  .* - n1 accepts clients on " + ADDRESS + ":" + node.port())
                        .matcher(log)
                        .find(),
                log);
        assertTrue(log.contains("n1 has stopped"), log);
    }

    @Test
    void without_a_logback_file_the_log_goes_to_the_folder_all_the_same() throws IOException, InterruptedException {
        NodeProcess node = processes.newNode();
        Path logs = folder.resolve("logs");
        start(node, logs, "-jar", NodeProcess.jar().toString());
        InetSocketAddress address = new InetSocketAddress(ADDRESS, node.port());
        Await.until("it counts", () -> {
            try (DshmConnection connection = DshmConnection.connect(address, TIMEOUT, TIMEOUT)) {
                return connection.incr("old::n", 1) > 0;
            }
        });
        node.terminate();
        assertEquals(0, node.awaitEnd());
        assertTrue(Files.readString(logs.resolve("ngx-dshm.log")).contains("n1 has stopped"));
    }

    private static void start(NodeProcess node, Path logs, String... last) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                NodeProcess.javaExecutable(),
                "-Xmx128m",
                "-Dngx-distributed-shm.port=" + node.port(),
                "-Dngx-distributed-shm.bind_address=" + ADDRESS,
                "-Dngx-distributed-shm.log_dir=" + logs));
        command.addAll(List.of(last));
        node.start(command);
    }
}
