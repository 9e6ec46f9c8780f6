package io.dshm.server.config;

/** A setting that cannot be; the message names the key and says what may stand there. */
public final class ConfigException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public ConfigException(String message) {
        super(message);
    }
}
