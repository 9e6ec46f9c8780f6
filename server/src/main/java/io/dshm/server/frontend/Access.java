package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.dshm.server.rights.User;
import io.dshm.server.rights.Users;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who a connection's client is, and what it may do. It is asked for each request; what it costs then is one volatile
 * read, and a look at the user's patterns. The secret is looked at once a connection. Confined to its event loop.
 */
final class Access {

    private static final Reply.Failure WRONG_SECRET = new Reply.Failure(ErrorCode.DENIED, "wrong user or secret");

    private static final Rejection NOT_AUTHENTICATED =
            new Rejection(new Reply.Failure(ErrorCode.AUTH_REQUIRED, "AUTH user secret comes first"), false);
    private static final Rejection NOT_ALLOWED =
            new Rejection(new Reply.Failure(ErrorCode.DENIED, "the user has no right to this"), false);
    private static final Rejection GONE =
            new Rejection(new Reply.Failure(ErrorCode.DENIED, "the user or its secret was removed"), true);

    private final Supplier<Users> source;
    private final AccessLog log;
    private final Object client;

    /** The number of the secret that the client has come with. */
    private long credential = Users.NOBODY;

    /** What {@link #user} was looked up in. */
    private Users seen = Users.NONE;

    private @Nullable User user;

    /**
     * Nobody's.
     *
     * @param source the users as this node knows them
     * @param client for the log
     */
    Access(Supplier<Users> source, AccessLog log, Object client) {
        this.source = source;
        this.log = log;
        this.client = client;
    }

    /** The number of the secret by which the client is known; {@link Users#NOBODY} if it is not. */
    long credential() {
        return credential;
    }

    /** Looks at who the client says it is; false if that is wrong, and then it is nobody. */
    boolean authenticate(Command.Auth auth) {
        credential = source.get().authenticate(auth.user(), auth.secret());
        seen = Users.NONE;
        user = null;
        return credential != Users.NOBODY;
    }

    /** The same; the reply to the client. */
    Reply authenticateOrSay(Command.Auth auth) {
        if (authenticate(auth)) {
            return Reply.Done.DONE;
        }
        log.onWrongSecret(client);
        return WRONG_SECRET;
    }

    /** Whether the user that the client was is no more, or its secret. */
    boolean isGone() {
        look();
        return credential != Users.NOBODY && user == null;
    }

    /** Whether data of the client's is taken, and long lines: not while it has to say first who it is. */
    boolean takesData() {
        return !look().required() || user != null;
    }

    private Users look() {
        Users now = source.get();
        if (now != seen) {
            seen = now;
            user = now.withNumber(credential);
        }
        return now;
    }

    /** Why that request is not to be handled; null if it is. */
    @Nullable
    Rejection refusal(Request request) {
        Users now = look();
        if (credential != Users.NOBODY && user == null && !(request instanceof Command.Auth)) {
            return GONE;
        }
        if (!now.required() || (request instanceof Rejection rejection && rejection.closes())) {
            return null;
        }
        if (CommandRights.admit(request, user)) {
            return null;
        }
        if (user == null) {
            return NOT_AUTHENTICATED;
        }
        log.onDenied(user.name(), CommandKind.of(request), client);
        return NOT_ALLOWED;
    }
}
