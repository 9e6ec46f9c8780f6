package io.dshm.server.network;

import java.net.InetSocketAddress;
import java.util.AbstractSet;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The nodes that this one knows as members, with their addresses: those of the setting at first, and those of the
 * cluster's own list as soon as it has one. The sets that it gives out follow each change. Thread-safe.
 */
public final class ClusterMembers {

    private static final Pattern ADDRESS = Pattern.compile("(.+):(\\d{1,5}):(\\d{1,5})");

    /**
     * Where a member is.
     *
     * @param host a name or an address, an IPv6 address in brackets
     */
    public record Address(String host, int raftPort, int forwardingPort) {

        /** Reads {@code host:raft-port:forwarding-port}; null if it is not of that form. */
        static @Nullable Address parse(String text) {
            Matcher parts = ADDRESS.matcher(text);
            return parts.matches()
                    ? new Address(parts.group(1), Integer.parseInt(parts.group(2)), Integer.parseInt(parts.group(3)))
                    : null;
        }

        /** As {@link #parse} reads it. */
        public String text() {
            return raft() + ":" + forwardingPort;
        }

        /** The Raft address, {@code host:port}. */
        public String raft() {
            return host + ":" + raftPort;
        }

        /** The forwarding address, not resolved. */
        public InetSocketAddress forwarding() {
            return InetSocketAddress.createUnresolved(host, forwardingPort);
        }
    }

    private final String self;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    private volatile Map<String, Address> all;
    private volatile boolean isAgreed;

    /**
     * The members of the setting.
     *
     * @param self this node's name
     * @param setting addresses, {@code host:raft-port:forwarding-port}, by the members' names
     */
    public ClusterMembers(String self, Map<String, String> setting) {
        this.self = self;
        this.all = parsed(setting);
    }

    private static Map<String, Address> parsed(Map<String, String> texts) {
        Map<String, Address> addresses = new TreeMap<>();
        texts.forEach((name, text) -> {
            Address address = Address.parse(text);
            if (address == null) {
                throw new IllegalArgumentException("member " + name + " has no usable address: " + text);
            }
            addresses.put(name, address);
        });
        return addresses;
    }

    /** The cluster has agreed on these members. */
    public void agreed(Map<String, String> members) {
        isAgreed = true;
        Map<String, Address> changed = parsed(members);
        if (!changed.equals(all)) {
            all = changed;
            listeners.forEach(Runnable::run);
        }
    }

    /** Whether the cluster has a list of its own, and {@link #all} is not that of the setting any more. */
    public boolean isAgreed() {
        return isAgreed;
    }

    /** Is called after each change, on the thread that made it; and now. */
    public void onChange(Runnable listener) {
        listeners.add(listener);
        listener.run();
    }

    /** All members by their names, in the order of these, as they are now. */
    public Map<String, Address> all() {
        return Collections.unmodifiableMap(all);
    }

    /** The names of the other members. Follows each change. */
    public Set<String> others() {
        return new Live<>(member -> member.getKey(), name -> !name.equals(self) && all.containsKey(name));
    }

    /** The Raft addresses of the other members. Follows each change. */
    public Set<String> othersRaft() {
        return new Live<>(
                member -> member.getValue().raft(),
                address -> all.entrySet().stream()
                        .anyMatch(member -> !member.getKey().equals(self)
                                && member.getValue().raft().equals(address)));
    }

    /** The name of the member with that Raft address, or the address if there is none. */
    public String nameOf(String raftAddress) {
        return all.entrySet().stream()
                .filter(member -> member.getValue().raft().equals(raftAddress))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(raftAddress);
    }

    /** The Raft address of that member; a name that is no member's is returned as it is. */
    public String raftOf(String name) {
        Address address = all.get(name);
        return address == null ? name : address.raft();
    }

    /** The forwarding addresses, not resolved, by the members' names. */
    public Map<String, InetSocketAddress> forwarding() {
        return all.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, member -> member.getValue().forwarding()));
    }

    /** All members, each as {@code name=host:raft-port:forwarding-port}. */
    public List<String> texts() {
        return all.entrySet().stream()
                .map(member -> member.getKey() + "=" + member.getValue().text())
                .toList();
    }

    /** The members' hosts, by their names. */
    public Map<String, String> hostsByName() {
        return all.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, member -> member.getValue().host()));
    }

    /** The members' hosts. */
    public Collection<String> hosts() {
        return all.values().stream().map(Address::host).collect(Collectors.toSet());
    }

    /** Something of each other member; what is there is looked up at each call. */
    private final class Live<T> extends AbstractSet<T> {

        private final Function<Map.Entry<String, Address>, T> part;
        private final Predicate<Object> contains;

        Live(Function<Map.Entry<String, Address>, T> part, Predicate<Object> contains) {
            this.part = part;
            this.contains = contains;
        }

        @Override
        public boolean contains(@Nullable Object element) {
            return element != null && contains.test(element);
        }

        @Override
        public Iterator<T> iterator() {
            return all.entrySet().stream()
                    .filter(member -> !member.getKey().equals(self))
                    .map(part)
                    .toList()
                    .iterator();
        }

        @Override
        public int size() {
            Map<String, Address> now = all;
            return now.size() - (now.containsKey(self) ? 1 : 0);
        }
    }
}
