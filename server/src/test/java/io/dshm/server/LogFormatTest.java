package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.joran.spi.JoranException;
import ch.qos.logback.core.status.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the log's configurations make of a line. */
class LogFormatTest {

    @TempDir
    Path folder;

    private LoggerContext configured(String name) throws JoranException {
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        context.putProperty("ngx-distributed-shm.log_dir", folder.toString());
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(LogFormatTest.class.getClassLoader().getResource(name));
        List<String> troubles = context.getStatusManager().getCopyOfStatusList().stream()
                .filter(status -> status.getEffectiveLevel() >= Status.WARN)
                .map(Status::getMessage)
                .toList();
        assertEquals(List.of(), troubles, name);
        return context;
    }

    private List<String> linesOf(String name) throws JoranException, IOException {
        LoggerContext context = configured(name);
        context.getLogger("a").warn("say \"{}\"\nand more", "hello", new IOException("why"));
        context.getLogger("a").debug("not shown");
        context.getLogger("com.alipay.sofa.jraft.core.Ballot").error("not shown");
        context.stop();
        return Files.readAllLines(folder.resolve("ngx-dshm.log"));
    }

    @Test
    void libraries_say_the_same_in_all_of_them() throws JoranException {
        for (String target : List.of("terminal", "file")) {
            for (String format : List.of("", "-json")) {
                LoggerContext context = configured("dshm-log-to-" + target + format + ".xml");
                assertEquals(Level.WARN, context.getLogger("io.netty.x").getEffectiveLevel());
                assertEquals(
                        Level.OFF,
                        context.getLogger("com.alipay.sofa.jraft.rpc").getEffectiveLevel());
                assertEquals(Level.INFO, context.getLogger("io.dshm").getEffectiveLevel());
                context.stop();
            }
        }
    }

    @Test
    void json_is_one_object_a_line_whatever_the_message_is() throws JoranException, IOException {
        List<String> lines = linesOf("dshm-log-to-file-json.xml");
        assertEquals(1, lines.size(), lines::toString);
        String line = lines.get(0);
        assertTrue(line.startsWith("{") && line.endsWith("}"), line);
        assertTrue(line.contains("\"level\":\"WARN\""), line);
        assertTrue(line.contains("\"formattedMessage\":\"say \\\"hello\\\"\\nand more\""), line);
        assertTrue(line.contains("\"message\":\"why\""), line);
    }

    @Test
    void text_is_for_people() throws JoranException, IOException {
        String line = linesOf("dshm-log-to-file.xml").get(0);
        assertTrue(
                line.matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} WARN  say \"hello\" and more"),
                "a message cannot forge a line: " + line);
    }
}
