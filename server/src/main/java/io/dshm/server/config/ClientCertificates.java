package io.dshm.server.config;

/** Whether clients show a certificate when they connect with TLS. */
public enum ClientCertificates {
    /** They are not asked. */
    OFF,
    /** They are asked, and may have none; one that is shown has to be good. */
    WANTED,
    /** Who has none is refused. */
    NEEDED
}
