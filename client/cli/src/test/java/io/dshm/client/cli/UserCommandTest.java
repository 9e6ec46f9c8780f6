package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Secrets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code dshm user} asks nodes for: never with a secret. */
@Timeout(60)
class UserCommandTest {

    private static final String DONE = "HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{\"message\":\"done\"}";

    private final List<String> asked = new ArrayList<>();

    private FakeNode node() throws IOException {
        return new FakeNode(request -> {
            asked.add(request);
            return DONE;
        });
    }

    private static Run run(FakeNode node, String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--admin", node.address(), "--timeout=5s"));
        return Run.on("10.0.0.1", all.toArray(new String[0]));
    }

    @Test
    void a_secret_is_made_here_and_only_its_hash_is_sent(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("secret");
        try (FakeNode node = node()) {
            Run run = run(
                    node,
                    "user",
                    "add",
                    "app",
                    "--rights",
                    "read:limits,write:a-*",
                    "--new-secret-file",
                    file.toString());
            assertEquals(ExitCode.OK, run.exitCode(), run.err());
            assertEquals("done\n", run.out());
            String secret = Files.readString(file).strip();
            assertEquals("rw-------", posix(file));
            Matcher request = Pattern.compile(
                            "POST /users/add\\?name=app&right=read%3Alimits&right=write%3Aa-\\*&salt=([0-9a-f]{32})&hash=([0-9a-f]{64}) ")
                    .matcher(asked.get(0));
            assertTrue(request.find(), asked::toString);
            byte[] hash =
                    Secrets.hash(HexFormat.of().parseHex(request.group(1)), secret.getBytes(StandardCharsets.US_ASCII));
            assertArrayEquals(hash, HexFormat.of().parseHex(request.group(2)));
            assertFalse(asked.toString().contains(secret));
        }
    }

    private static String posix(Path file) throws IOException {
        return java.nio.file.attribute.PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void a_rotation_ends_with_finish() throws IOException {
        try (FakeNode node = node()) {
            assertEquals(ExitCode.OK, run(node, "user", "rotate", "app").exitCode());
            assertEquals(
                    ExitCode.OK, run(node, "user", "rotate", "app", "--finish").exitCode());
            assertEquals(
                    ExitCode.OK, run(node, "user", "rotate", "app", "--at-once").exitCode());
            assertEquals(ExitCode.OK, run(node, "auth", "on").exitCode());
            assertTrue(asked.get(0).startsWith("POST /users/rotate?name=app&salt="));
            assertTrue(asked.get(1).startsWith("POST /users/finish-rotation?name=app "));
            assertTrue(asked.get(2).startsWith("POST /users/replace-secret?name=app&salt="));
            assertTrue(asked.get(3).startsWith("POST /users/auth-on "));
        }
    }

    @Test
    void a_secret_of_ones_own_is_long(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("short"), "swordfish\n");
        try (FakeNode node = node()) {
            Run run = run(node, "user", "add", "app", "--new-secret-file", file.toString());
            assertEquals(ExitCode.USAGE, run.exitCode());
            assertTrue(asked.isEmpty());
        }
    }

    @Test
    void the_same_command_again_asks_for_the_same(@TempDir Path folder) throws IOException {
        String file = folder.resolve("secret").toString();
        try (FakeNode node = node()) {
            run(node, "user", "add", "app", "--new-secret-file", file);
            run(node, "user", "add", "app", "--new-secret-file", file);
            run(node, "user", "add", "other", "--new-secret-file", file);
            assertEquals(asked.get(0), asked.get(1));
            assertFalse(asked.get(2).endsWith(asked.get(0).replaceAll(".*&salt", "&salt")));
        }
    }

    @Test
    void a_secret_is_shown_though_the_answer_is_lost() throws IOException {
        try (FakeNode node = FakeNode.always("")) {
            Run run = run(node, "user", "add", "app");
            assertEquals(ExitCode.UNKNOWN, run.exitCode());
            Matcher shown = Pattern.compile("secret would be (\\S+);").matcher(run.err());
            assertTrue(shown.find(), run.err());
            byte[] secret = shown.group(1).getBytes(StandardCharsets.US_ASCII);
            String hash = HexFormat.of().formatHex(Secrets.hash(Secrets.saltOf("app", secret), secret));
            assertTrue(node.requests().get(0).contains("&hash=" + hash));
        }
    }

    @Test
    void who_is_gone_after_a_lost_answer_was_removed() throws IOException {
        String body = "{\"error\":\"refused\",\"message\":\"not_found\"}";
        String gone = "HTTP/1.1 409 Conflict\r\ncontent-length: " + body.length() + "\r\n\r\n" + body;
        try (FakeNode breaks = FakeNode.always("");
                FakeNode other = FakeNode.always(gone)) {
            String both = breaks.address() + "," + other.address();
            Run run = Run.on("10.0.0.1", "user", "remove", "app", "--admin", both, "--timeout=5s");
            assertEquals(ExitCode.OK, run.exitCode(), run.err());
            assertEquals(ExitCode.REFUSED, run(other, "user", "remove", "app").exitCode());
        }
    }
}
