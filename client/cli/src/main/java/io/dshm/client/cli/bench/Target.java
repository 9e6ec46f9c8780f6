package io.dshm.client.cli.bench;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Servers that are put under load, and what they speak.
 *
 * @param name for people
 */
public record Target(String name, Kind kind, List<InetSocketAddress> endpoints) {

    /** What a server speaks. */
    public enum Kind {
        DSHM(4321, EnumSet.allOf(Op.class)),
        REDIS(6379, EnumSet.of(Op.GET, Op.SET, Op.ADD, Op.DELETE, Op.INCR, Op.PUSH, Op.POP, Op.TOUCH, Op.PING)),
        MEMCACHED(11211, EnumSet.of(Op.GET, Op.SET, Op.ADD, Op.CAS, Op.DELETE, Op.INCR, Op.TOUCH, Op.PING)),
        ETCD(2379, EnumSet.of(Op.GET, Op.SET, Op.ADD, Op.CAS, Op.DELETE));

        private final Set<Op> ops;

        private final int port;

        Kind(int port, Set<Op> ops) {
            this.port = port;
            this.ops = ops;
        }

        /** Where they listen if nobody says otherwise. */
        public int port() {
            return port;
        }
    }

    /** The servers whose URLs begin with that; null if there are none. */
    public static @Nullable Kind kind(String scheme) {
        return switch (scheme) {
            case "dshm" -> Kind.DSHM;
            case "redis" -> Kind.REDIS;
            case "memcached" -> Kind.MEMCACHED;
            case "etcd" -> Kind.ETCD;
            default -> null;
        };
    }

    /**
     * Fails if there is something in a plan that these servers do not have.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public void require(Plan plan) {
        Mix mix = plan.mix();
        String missing = Arrays.stream(Op.values())
                .filter(op -> mix.has(op) && !kind.ops.contains(op))
                .map(Op::word)
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException(name + " has nothing that corresponds to " + missing
                    + "; compare with a mix of "
                    + Arrays.stream(Op.values())
                            .filter(kind.ops::contains)
                            .map(Op::word)
                            .collect(Collectors.joining(", ")));
        }
        if (kind == Kind.ETCD && (long) plan.pipeline() * plan.sizeMax() > EtcdDialect.ON_THE_WAY_MAX) {
            throw new IllegalArgumentException("with etcd, --pipeline times --value-size is at most "
                    + EtcdDialect.ON_THE_WAY_MAX + " bytes, because the windows of HTTP/2 are not kept");
        }
    }

    /** The protocol for one connection. */
    Dialect dialect(Plan plan, String prefix) {
        return switch (kind) {
            case DSHM -> new DshmDialect(prefix, plan.read(), plan.limit().words());
            case REDIS -> new RedisDialect(prefix);
            case MEMCACHED -> new MemcachedDialect(prefix);
            case ETCD -> new EtcdDialect(prefix, plan.isLinearizable(), plan.pipeline());
        };
    }
}
