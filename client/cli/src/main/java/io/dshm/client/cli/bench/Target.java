package io.dshm.client.cli.bench;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Servers that are put under load, and what they speak.
 *
 * @param name for people
 */
public record Target(String name, Kind kind, List<InetSocketAddress> endpoints) {

    /** What a server speaks. */
    public enum Kind {
        DSHM(EnumSet.allOf(Op.class)),
        REDIS(EnumSet.of(Op.GET, Op.SET, Op.ADD, Op.DELETE, Op.INCR, Op.PUSH, Op.POP, Op.TOUCH, Op.PING)),
        MEMCACHED(EnumSet.of(Op.GET, Op.SET, Op.ADD, Op.CAS, Op.DELETE, Op.INCR, Op.TOUCH, Op.PING));

        private final Set<Op> ops;

        Kind(Set<Op> ops) {
            this.ops = ops;
        }
    }

    /**
     * Fails if there is a word that these servers do not have.
     *
     * @throws IllegalArgumentException with a message for the user
     */
    public void requireAll(Mix mix) {
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
    }

    /** The protocol for one connection. */
    Dialect dialect(Plan plan, String prefix) {
        return switch (kind) {
            case DSHM -> new DshmDialect(prefix, plan.read(), plan.limit().words());
            case REDIS -> new RedisDialect(prefix);
            case MEMCACHED -> new MemcachedDialect(prefix);
        };
    }
}
