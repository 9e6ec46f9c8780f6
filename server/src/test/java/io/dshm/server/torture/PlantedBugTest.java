package io.dshm.server.torture;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The bugs can still be planted: what they change is still there. */
class PlantedBugTest {

    @ParameterizedTest
    @EnumSource(PlantedBug.class)
    void it_compiles(PlantedBug bug) throws IOException {
        try (Stream<Path> files = Files.walk(bug.compile())) {
            assertTrue(files.anyMatch(file -> file.toString().endsWith(".class")), bug.description());
        }
    }
}
