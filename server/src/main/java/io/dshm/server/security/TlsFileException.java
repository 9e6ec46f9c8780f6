package io.dshm.server.security;

import java.io.IOException;

/** A file with a certificate or a key cannot be used. The message names the file and says what is wrong, for operators. */
public final class TlsFileException extends IOException {

    private static final long serialVersionUID = 1L;

    TlsFileException(String message) {
        super(message);
    }
}
