package io.dshm.server.security;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Believes a certificate of one of the authorities if it is also for a member: for the one that was dialed, or for any
 * if it is the other side that has dialed; which of them it is, its greeting says. Thread-safe.
 */
final class MemberTrust extends X509ExtendedTrustManager {

    private final X509TrustManager authorities;
    private final MemberCertificates members;

    MemberTrust(X509TrustManager authorities, MemberCertificates members) {
        this.authorities = authorities;
        this.members = members;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) throws CertificateException {
        authorities.checkClientTrusted(chain, kind);
        if (!members.isForAny(chain[0])) {
            throw new CertificateException("its certificate is for " + MemberCertificates.names(chain[0])
                    + ", and neither a member's name nor address");
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) throws CertificateException {
        authorities.checkServerTrusted(chain, kind);
        String node = engine.getPeerHost();
        if (!members.isFor(chain[0], node)) {
            throw new CertificateException("its certificate is for " + MemberCertificates.names(chain[0])
                    + ", which is neither the name nor the address of " + node);
        }
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return authorities.getAcceptedIssuers();
    }

    /** Not used: all connections have an engine. */
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) throws CertificateException {
        throw new CertificateException("no member is checked on a plain socket");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) throws CertificateException {
        throw new CertificateException("no member is checked on a plain socket");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind) throws CertificateException {
        throw new CertificateException("no member is checked without a connection");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {
        throw new CertificateException("no member is checked without a connection");
    }
}
