package io.dshm.server.network;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AdmittedAddressesTest {

    private final Map<String, InetAddress> names = new HashMap<>();
    private long nanos;

    private AdmittedAddresses of(String... hosts) {
        return new AdmittedAddresses(List.of(hosts), this::resolve, Runnable::run, () -> nanos);
    }

    private InetAddress[] resolve(String host) throws UnknownHostException {
        InetAddress address = names.get(host);
        if (address == null) {
            throw new UnknownHostException(host);
        }
        return new InetAddress[] {address};
    }

    private static InetAddress ip(String literal) throws UnknownHostException {
        return InetAddress.getByName(literal);
    }

    @Test
    void only_the_members_addresses_are_admitted() throws UnknownHostException {
        AdmittedAddresses addresses = of("10.0.0.1", "fd00::2");
        assertTrue(addresses.mayBeMember(ip("10.0.0.1")));
        assertTrue(addresses.mayBeMember(ip("fd00::2")));
        assertFalse(addresses.mayBeMember(ip("10.0.0.3")));
        assertFalse(addresses.mayBeMember(ip("127.0.0.1")));
    }

    @Test
    void who_comes_later_is_admitted_and_who_has_gone_is_not() throws UnknownHostException {
        names.put("c", ip("10.0.0.3"));
        AdmittedAddresses addresses = of("10.0.0.1", "10.0.0.2");
        addresses.set(List.of("10.0.0.1", "c"));
        assertTrue(addresses.mayBeMember(ip("10.0.0.1")));
        assertTrue(addresses.mayBeMember(ip("10.0.0.3")));
        assertFalse(addresses.mayBeMember(ip("10.0.0.2")));
    }

    @Test
    void any_loopback_address_is_that_of_a_member_with_one() throws UnknownHostException {
        assertTrue(of("127.0.0.2", "127.0.0.3").mayBeMember(ip("127.0.0.1")));
    }

    @Test
    void while_a_name_was_never_resolved_anybody_may_be_that_member() throws UnknownHostException {
        names.put("a", ip("10.0.0.1"));
        AdmittedAddresses addresses = of("a", "b");
        assertTrue(addresses.mayBeMember(ip("10.0.0.9")));
        names.put("b", ip("10.0.0.2"));
        nanos += TimeUnit.SECONDS.toNanos(1);
        addresses.mayBeMember(ip("10.0.0.9"));
        assertFalse(addresses.mayBeMember(ip("10.0.0.9")));
        assertTrue(addresses.mayBeMember(ip("10.0.0.2")));
    }

    @Test
    void a_member_with_a_new_address_is_known_at_its_second_try_and_the_last_one_is_kept_without_names()
            throws UnknownHostException {
        names.put("a", ip("10.0.0.1"));
        AdmittedAddresses addresses = of("a");
        names.put("a", ip("10.0.0.5"));
        nanos += TimeUnit.SECONDS.toNanos(1);
        assertFalse(addresses.mayBeMember(ip("10.0.0.5")));
        assertTrue(addresses.mayBeMember(ip("10.0.0.5")));
        names.clear();
        nanos += TimeUnit.SECONDS.toNanos(1);
        assertFalse(addresses.mayBeMember(ip("10.0.0.6")));
        assertTrue(addresses.mayBeMember(ip("10.0.0.5")));
    }
}
