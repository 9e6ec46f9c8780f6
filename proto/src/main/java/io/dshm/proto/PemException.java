package io.dshm.proto;

import java.io.IOException;

/** A file with a certificate or a key cannot be used. The message names the file and says what is wrong, for people. */
public final class PemException extends IOException {

    private static final long serialVersionUID = 1L;

    public PemException(String message) {
        super(message);
    }
}
