package io.dshm.server.network;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of the members' host names, as far as they can be resolved. A connection from another address is no
 * member's. Names are resolved in the background, at first and whenever an unknown address connects. While a name could
 * never be resolved, every address may be that member's.
 *
 * <p>Thread-safe; {@link #mayBeMember} never blocks.
 */
public final class AdmittedAddresses {

    /** Looks a name up; may block. */
    public interface Resolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(AdmittedAddresses.class);

    private static final long REFRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private record Known(Set<InetAddress> addresses, boolean all, boolean loopback) {}

    /** Not resolvable without a name service. */
    private final Set<String> names = ConcurrentHashMap.newKeySet();

    private final Map<String, Set<InetAddress>> resolved = new ConcurrentHashMap<>();
    private final Resolver resolver;
    private final Executor background;
    private final LongSupplier nanoTime;
    private final AtomicBoolean refreshing = new AtomicBoolean();

    private volatile long refreshedNanos;
    private volatile Known known = new Known(Set.of(), true, false);

    /**
     * The addresses of these hosts.
     *
     * @param background where names are looked up, one after the other
     */
    public AdmittedAddresses(Collection<String> hosts, Resolver resolver, Executor background, LongSupplier nanoTime) {
        this.resolver = resolver;
        this.background = background;
        this.nanoTime = nanoTime;
        this.refreshedNanos = nanoTime.getAsLong();
        set(hosts);
    }

    /** These are the members' hosts from now on. */
    public void set(Collection<String> hosts) {
        names.retainAll(hosts);
        resolved.keySet().retainAll(hosts);
        for (String host : hosts) {
            InetAddress literal = NetUtil.createInetAddressFromIpAddressString(host);
            if (literal == null) {
                names.add(host);
            } else {
                resolved.put(host, Set.of(literal));
            }
        }
        known = known();
        if (!names.isEmpty() && refreshing.compareAndSet(false, true)) {
            background.execute(this::refresh);
        }
    }

    /** False if no member has this address. A loopback address is that of any member with one. */
    public boolean mayBeMember(InetAddress address) {
        Known now = known;
        boolean member = now.addresses().contains(address) || (now.loopback() && address.isLoopbackAddress());
        if (!member
                && !names.isEmpty()
                && nanoTime.getAsLong() - refreshedNanos >= REFRESH_NANOS
                && refreshing.compareAndSet(false, true)) {
            background.execute(this::refresh);
        }
        return member || !now.all();
    }

    private void refresh() {
        try {
            for (String name : names) {
                try {
                    resolved.put(name, Set.copyOf(List.of(resolver.resolve(name))));
                } catch (UnknownHostException e) {
                    LOG.debug("{} cannot be resolved now", name, e);
                }
            }
            known = known();
        } finally {
            refreshedNanos = nanoTime.getAsLong();
            refreshing.set(false);
        }
    }

    private Known known() {
        Set<InetAddress> addresses = new HashSet<>();
        resolved.values().forEach(addresses::addAll);
        return new Known(
                addresses,
                resolved.keySet().containsAll(names),
                addresses.stream().anyMatch(InetAddress::isLoopbackAddress));
    }
}
