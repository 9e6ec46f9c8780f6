package io.dshm.server.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The name service is the test: it answers when, and what, the test says. */
class MemberAddressesTest {

    private static final long PATIENCE_SECONDS = 20;
    private static final String UNKNOWN = "";

    private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
    private final SynchronousQueue<String> answers = new SynchronousQueue<>();
    private @Nullable MemberAddresses addresses;

    @AfterEach
    void close() {
        if (addresses != null) {
            addresses.close();
        }
    }

    private MemberAddresses open(String host) {
        MemberAddresses opened =
                new MemberAddresses(Map.of("n2", InetSocketAddress.createUnresolved(host, 7331)), name -> {
                    asked.add(name);
                    try {
                        String answer = answers.take();
                        if (answer.isEmpty()) {
                            throw new UnknownHostException(name);
                        }
                        return InetAddress.getByName(answer);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new UnknownHostException("closed");
                    }
                });
        addresses = opened;
        return opened;
    }

    private void answer(String address) throws InterruptedException {
        answer("peer.example", address);
    }

    private void answer(String host, String address) throws InterruptedException {
        assertEquals(host, asked.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
        answers.put(address);
    }

    private static InetSocketAddress await(CompletableFuture<InetSocketAddress> address) throws Exception {
        return address.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void while_the_name_service_is_silent_nobody_waits_for_it() throws Exception {
        MemberAddresses opened = open("peer.example");
        CompletableFuture<InetSocketAddress> first = opened.find("n2");
        assertFalse(first.isDone());
        answer(UNKNOWN);
        answer("127.0.0.7");
        assertEquals(new InetSocketAddress("127.0.0.7", 7331), await(first));
    }

    @Test
    void the_last_good_address_counts_until_there_is_another_one() throws Exception {
        MemberAddresses opened = open("peer.example");
        CompletableFuture<InetSocketAddress> first = opened.find("n2");
        answer("127.0.0.7");
        await(first);
        opened.onFailed("n2");
        opened.onFailed("n2");
        answer(UNKNOWN);
        assertEquals(new InetSocketAddress("127.0.0.7", 7331), opened.find("n2").getNow(null));
        opened.onFailed("n2");
        answer("127.0.0.8");
        opened.onFailed("n2");
        answer(UNKNOWN);
        assertEquals(new InetSocketAddress("127.0.0.8", 7331), opened.find("n2").getNow(null));
    }

    @Test
    void nobody_else_is_a_member() {
        MemberAddresses opened = open("peer.example");
        assertTrue(opened.find("n9").isCompletedExceptionally());
    }

    @Test
    void who_comes_later_is_found_and_who_has_moved_and_who_has_gone_is_not() throws Exception {
        MemberAddresses opened = open("peer.example");
        answer("127.0.0.7");
        await(opened.find("n2"));
        opened.set(Map.of(
                "n2", InetSocketAddress.createUnresolved("moved.example", 7331),
                "n3", InetSocketAddress.createUnresolved("moved.example", 7332)));
        answer("moved.example", "127.0.0.8");
        answer("moved.example", "127.0.0.8");
        assertEquals(new InetSocketAddress("127.0.0.8", 7331), await(opened.find("n2")));
        assertEquals(new InetSocketAddress("127.0.0.8", 7332), await(opened.find("n3")));
        opened.set(Map.of());
        assertTrue(opened.find("n2").isCompletedExceptionally());
        assertFalse(opened.knows("n2"));
    }

    @Test
    void an_ipv6_address_in_brackets_is_an_address() throws Exception {
        addresses = new MemberAddresses(Map.of("n2", InetSocketAddress.createUnresolved("[::1]", 7331)));
        assertEquals(
                "[0:0:0:0:0:0:0:1]:7331", await(addresses.find("n2")).toString().substring(1));
    }
}
