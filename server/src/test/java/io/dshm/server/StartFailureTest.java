package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.server.network.CannotListenException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
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
    void a_port_that_cannot_be_opened_comes_with_the_settings_and_their_file() {
        assertEquals(
                "10.0.0.1 is not an address of this machine: edit members or raft-bind-address in /etc/dshm/dshm.conf",
                ofPort("members or raft-bind-address", "Cannot assign requested address"));
        assertEquals(
                "another program uses port 4321 of 10.0.0.1 (ss -ltnp shows which one):"
                        + " edit bind-address, port in /etc/dshm/dshm.conf",
                ofPort("bind-address, port", "bind(..) failed: Address already in use"));
        InetSocketAddress unresolved = InetSocketAddress.createUnresolved("n1.invalid", 1);
        assertEquals(
                "n1.invalid is a name that cannot be looked up: edit port in the options",
                StartFailure.reason(new CannotListenException("port", unresolved, null), "the options", Path.of("/")));
    }

    private static String ofPort(String settings, String why) {
        var address = new InetSocketAddress("10.0.0.1", 4321);
        return StartFailure.reason(
                new CannotListenException(settings, address, new BindException(why)),
                "/etc/dshm/dshm.conf",
                Path.of("/"));
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
