package io.dshm.server.security;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Which member a certificate is for: one of its alternative names is the member's name, or the host that its address
 * has. The subject's common name does not count, and neither do wildcards: a name that stands for many nodes says
 * nothing about one.
 *
 * <p>Both are accepted because both are in use: an authority that knows DNS names and addresses only signs no
 * {@code n1}, and a certificate for the name {@code n1} outlives a change of address. Thread-safe.
 *
 * @param hosts the members' hosts by their names, as they are now
 */
public record MemberCertificates(Supplier<Map<String, String>> hosts) {

    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    /** Whether it is for the member of that name. */
    public boolean isFor(X509Certificate certificate, String node) {
        String host = hosts.get().get(node);
        Set<String> names = names(certificate);
        return host != null && (names.contains(normal(node)) || names.contains(normal(host)));
    }

    /** Whether it is for any member. */
    boolean isForAny(X509Certificate certificate) {
        Set<String> names = names(certificate);
        return hosts.get().entrySet().stream()
                .anyMatch(
                        member -> names.contains(normal(member.getKey())) || names.contains(normal(member.getValue())));
    }

    /** The alternative names that are names or addresses; names in lower case. */
    static Set<String> names(X509Certificate certificate) {
        Set<String> names = new HashSet<>();
        try {
            Collection<List<?>> all = certificate.getSubjectAlternativeNames();
            for (List<?> name : all == null ? List.<List<?>>of() : all) {
                int kind = (Integer) name.get(0);
                if (kind == DNS_NAME || kind == IP_ADDRESS) {
                    names.add(normal((String) name.get(1)));
                }
            }
        } catch (CertificateParsingException e) {
            return Set.of();
        }
        return names;
    }

    /** One form for all ways to write an address. */
    private static String normal(String name) {
        String bare = name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
        InetAddress address = NetUtil.createInetAddressFromIpAddressString(bare);
        return address == null ? bare.toLowerCase(Locale.ROOT) : address.getHostAddress();
    }
}
