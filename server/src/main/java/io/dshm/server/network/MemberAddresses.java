package io.dshm.server.network;

import io.dshm.server.guard.Guard;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the other members are. Names are looked up on a thread of their own, because a lookup blocks for as long as the
 * name service is silent: at the start, after a connection has failed, and now and then. The last good answer counts
 * until there is another one. Nothing here blocks its caller. Thread-safe.
 */
public final class MemberAddresses implements AutoCloseable {

    /** Which settings say where this node listens for the others, for messages. */
    public static final String LISTEN_SETTINGS = "members or raft-bind-address";

    private static final Logger LOG = LoggerFactory.getLogger(MemberAddresses.class);

    /** Looks a name up; may block. An IP address is its own answer. */
    @FunctionalInterface
    interface Lookup {
        InetAddress find(String host) throws UnknownHostException;
    }

    /** Between two lookups of a name, if no connection to it fails. */
    private static final long REFRESH_MILLIS = 30_000;

    /** Between two lookups of a name while connections to it fail: they may do so every few milliseconds. */
    private static final long FAILED_REFRESH_MILLIS = 1_000;

    private final Lookup lookup;
    private final Map<String, Member> members = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor thread;

    /**
     * Addresses that are looked up from now on.
     *
     * @param hosts hosts with ports, not resolved, by the members' names
     */
    public MemberAddresses(Map<String, InetSocketAddress> hosts) {
        this(hosts, InetAddress::getByName);
    }

    MemberAddresses(Map<String, InetSocketAddress> hosts, Lookup lookup) {
        this.lookup = lookup;
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, "member-addresses");
            created.setDaemon(true);
            return created;
        });
        hosts.forEach((name, host) -> members.put(name, new Member(host)));
        // Of a copy: who comes meanwhile is looked up by set.
        Runnable refresh = Guard.of(
                "looking members up", () -> List.copyOf(members.values()).forEach(Member::refresh));
        thread.scheduleWithFixedDelay(refresh, 0, REFRESH_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** These are the members from now on. */
    public void set(Map<String, InetSocketAddress> hosts) {
        members.keySet().retainAll(hosts.keySet());
        hosts.forEach((name, host) -> {
            Member known = members.get(name);
            if (known == null || !known.host.equals(host)) {
                Member member = new Member(host);
                members.put(name, member);
                member.refreshNow();
            }
        });
    }

    /** Whether a member has that name. */
    public boolean knows(String name) {
        return members.containsKey(name);
    }

    /**
     * The last good address of a member; not done before its name has been found once. It fails if no member has that
     * name.
     */
    public CompletableFuture<InetSocketAddress> find(String name) {
        Member member = members.get(name);
        if (member == null) {
            return CompletableFuture.failedFuture(new IOException("no member has the name " + name));
        }
        InetSocketAddress last = member.last;
        return last == null ? member.first.copy() : CompletableFuture.completedFuture(last);
    }

    /** A connection to a member has failed: its name may stand for another address by now. */
    public void onFailed(String name) {
        Member member = members.get(name);
        if (member != null) {
            member.refreshSoon();
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }

    private final class Member {

        private final InetSocketAddress host;
        private final CompletableFuture<InetSocketAddress> first = new CompletableFuture<>();
        private final AtomicBoolean refreshing = new AtomicBoolean();
        private volatile @Nullable InetSocketAddress last;

        Member(InetSocketAddress host) {
            this.host = host;
        }

        void refreshNow() {
            refreshIn(0);
        }

        void refreshSoon() {
            refreshIn(FAILED_REFRESH_MILLIS);
        }

        private void refreshIn(long millis) {
            if (!thread.isShutdown() && refreshing.compareAndSet(false, true)) {
                Runnable again = Guard.of("looking a member up", () -> {
                    refreshing.set(false);
                    refresh();
                });
                try {
                    thread.schedule(again, millis, TimeUnit.MILLISECONDS);
                } catch (RejectedExecutionException e) {
                    LOG.trace("closed meanwhile", e);
                }
            }
        }

        void refresh() {
            try {
                InetSocketAddress found = new InetSocketAddress(lookup.find(host.getHostString()), host.getPort());
                if (!found.equals(last)) {
                    LOG.debug("{} is {}", host.getHostString(), found);
                }
                last = found;
                first.complete(found);
            } catch (UnknownHostException e) {
                LOG.debug("{} is not found; the last answer was {}", host.getHostString(), last, e);
                if (last == null) {
                    refreshSoon();
                }
            }
        }
    }
}
