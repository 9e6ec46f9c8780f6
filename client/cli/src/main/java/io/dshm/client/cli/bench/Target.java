package io.dshm.client.cli.bench;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Servers that are put under load, and what they speak.
 *
 * @param name for people
 * @param security what they want; of DSHM only
 */
public record Target(String name, Kind kind, List<InetSocketAddress> endpoints, Security security) {

    /** What a server speaks. */
    public enum Kind {
        DSHM(4321),
        REDIS(6379),
        MEMCACHED(11211),
        ETCD(2379);

        private final int port;

        Kind(int port) {
            this.port = port;
        }

        private boolean has(Op op) {
            return switch (this) {
                case DSHM -> true;
                case REDIS -> op != Op.CAS && op != Op.TAKE;
                case MEMCACHED -> op != Op.TAKE && op != Op.PUSH && op != Op.POP;
                case ETCD -> op == Op.GET || op == Op.SET || op == Op.ADD || op == Op.CAS || op == Op.DELETE;
            };
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
                .filter(op -> mix.has(op) && !kind.has(op))
                .map(Op::word)
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException(name + " has nothing that corresponds to " + missing
                    + "; compare with a mix of "
                    + Arrays.stream(Op.values()).filter(kind::has).map(Op::word).collect(Collectors.joining(", ")));
        }
        if (kind == Kind.ETCD && (long) plan.pipeline() * plan.sizeMax() > EtcdDialect.ON_THE_WAY_MAX) {
            throw new IllegalArgumentException("with etcd, --pipeline times --value-size is at most "
                    + EtcdDialect.ON_THE_WAY_MAX + " bytes, because the windows of HTTP/2 are not kept");
        }
    }

    /** The protocol for one connection. */
    Dialect dialect(Plan plan, String prefix) {
        return switch (kind) {
            case DSHM -> new DshmDialect(prefix, plan.read(), plan.limit().words(), security.login());
            case REDIS -> new RedisDialect(prefix);
            case MEMCACHED -> new MemcachedDialect(prefix);
            case ETCD -> new EtcdDialect(prefix, plan.isLinearizable(), plan.pipeline());
        };
    }
}
