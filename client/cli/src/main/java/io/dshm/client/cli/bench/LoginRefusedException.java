package io.dshm.client.cli.bench;

import java.net.ProtocolException;

/** A server does not let this user in, or not with this secret. */
final class LoginRefusedException extends ProtocolException {

    private static final long serialVersionUID = 1;

    LoginRefusedException(String message) {
        super(message);
    }
}
