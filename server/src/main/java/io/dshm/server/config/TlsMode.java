package io.dshm.server.config;

/** What a port takes. */
public enum TlsMode {
    /** Plain connections only. */
    OFF,
    /** Both kinds, while clients or nodes change over. */
    BOTH,
    /** TLS only. */
    ON
}
