package io.dshm.server.network;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import java.util.function.Predicate;

/** For which member the certificate is that the other side of a connection has shown. */
public final class CertifiedNode {

    private static final AttributeKey<Predicate<String>> KEY = AttributeKey.valueOf("dshm.certified");

    private CertifiedNode() {}

    /**
     * The other side has shown a certificate. {@code isFor} says whether it is for the member of that name; on the
     * event loop.
     */
    public static void set(Channel channel, Predicate<String> isFor) {
        channel.attr(KEY).set(isFor);
    }

    /** Whether the other side may be that member. On a plain connection it may be anybody. */
    public static boolean mayBe(Channel channel, String node) {
        Predicate<String> isFor = channel.attr(KEY).get();
        return isFor == null || isFor.test(node);
    }
}
