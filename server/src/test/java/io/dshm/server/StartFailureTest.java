package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import org.junit.jupiter.api.Test;

/** What an operator reads behind "cannot start". */
class StartFailureTest {

    @Test
    void a_file_comes_with_what_is_wrong_about_it() {
        String user = System.getProperty("user.name");
        assertEquals(
                "data-dir: cannot use /d/x: /d: permission denied for user " + user,
                StartFailure.reason(new IOException("data-dir: cannot use /d/x", new AccessDeniedException("/d"))));
        assertEquals("/d/x: is a file, not a folder", StartFailure.reason(new FileAlreadyExistsException("/d/x")));
        assertEquals(
                "/d/x: Read-only file system",
                StartFailure.reason(new FileSystemException("/d/x", null, "Read-only file system")));
    }

    @Test
    void an_error_comes_with_its_kind() {
        assertEquals(
                "UnsatisfiedLinkError: /d/x/lib/librocksdbjni.so: failed to map segment",
                StartFailure.reason(new UnsatisfiedLinkError("/d/x/lib/librocksdbjni.so: failed to map segment")));
    }

    @Test
    void causes_follow_unless_the_message_has_them_already() {
        assertEquals(
                "cannot listen: Address already in use",
                StartFailure.reason(
                        new IllegalStateException("cannot listen", new IOException("Address already in use"))));
        assertEquals(
                "java.io.IOException: closed",
                StartFailure.reason(new IllegalStateException(new IOException("closed"))));
        assertEquals("NullPointerException", StartFailure.reason(new NullPointerException()));
    }
}
