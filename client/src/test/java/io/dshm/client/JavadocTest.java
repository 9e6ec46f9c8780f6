package io.dshm.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documentation of the public API is made without a warning. */
class JavadocTest {

    @TempDir
    Path folder;

    @Test
    void javadoc_has_nothing_to_say() {
        StringWriter said = new StringWriter();
        List<String> arguments = new ArrayList<>(
                List.of("-quiet", "-Xdoclint:all,-missing", "-Werror", "-protected", "--release", "17"));
        arguments.addAll(List.of("-d", folder.toString(), "-classpath", System.getProperty("java.class.path")));
        arguments.addAll(List.of("-sourcepath", "src/main/java", "io.dshm.client"));
        PrintWriter out = new PrintWriter(said);
        int exit = ToolProvider.findFirst("javadoc").orElseThrow().run(out, out, arguments.toArray(new String[0]));
        out.flush();
        assertEquals("", said.toString());
        assertEquals(0, exit);
    }
}
