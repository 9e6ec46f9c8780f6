package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClientIdentitiesTest {

    private static final int MAX = Limits.ADDRESS_CLIENTS_MAX;

    private long nanos;
    private final ClientIdentities identities = new ClientIdentities(() -> nanos);
    private final ClientIdentities.OfConnection busy = identities.new OfConnection(address(1));
    private final ClientIdentities.OfConnection other = identities.new OfConnection(address(2));

    private static InetAddress address(int last) {
        try {
            return InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) last});
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static Command.Identified write(long client, long done) {
        return new Command.Identified(client, 1, done, false, new Command.Delete(Key.of(new byte[] {'k'})));
    }

    private static Command.Write admit(ClientIdentities.OfConnection connection, Command.Write write) {
        Command.Write admitted = connection.admit(write, Formats.BOUNDS);
        if (admitted == null) {
            throw new AssertionError("refused");
        }
        return admitted;
    }

    private void bringAll() {
        for (int client = 0; client < MAX; client++) {
            assertEquals(write(client, 1), admit(busy, write(client, 1)), "as it came");
        }
    }

    @Test
    void beyond_its_due_an_addresss_clients_are_served_and_not_listed_and_others_notice_nothing() {
        bringAll();
        assertEquals(write(MAX, 1).asUnlisted(), admit(busy, write(MAX, 1)));
        assertNull(busy.admit(write(MAX, 0), Formats.BOUNDS), "it would not mark its repeats");
        assertEquals(write(5, 1), admit(busy, write(5, 1)), "known before");
        assertEquals(write(MAX, 1), admit(other, write(MAX, 1)));
        assertEquals(write(MAX, 0), admit(other, write(MAX, 0)));
    }

    @Test
    void who_has_been_silent_for_long_makes_room() {
        bringAll();
        nanos += TimeUnit.MILLISECONDS.toNanos(Limits.CLIENT_IDLE_MILLIS);
        assertEquals(write(0, 1), admit(busy, write(0, 1)));
        assertTrue(((Command.Identified) admit(busy, write(MAX, 1))).unlisted());
        nanos += 1;
        assertEquals(write(MAX + 1, 1), admit(busy, write(MAX + 1, 1)));
        assertEquals(write(0, 1), admit(busy, write(0, 1)));
    }

    @Test
    void in_the_first_format_and_without_an_identity_nothing_is_changed() {
        bringAll();
        assertEquals(write(MAX, 1), busy.admit(write(MAX, 1), Formats.FIRST));
        assertEquals(write(MAX, 0), busy.admit(write(MAX, 0), Formats.FIRST));
        Command.Write plain = write(MAX, 1).write();
        assertSame(plain, busy.admit(plain, Formats.BOUNDS));
    }
}
