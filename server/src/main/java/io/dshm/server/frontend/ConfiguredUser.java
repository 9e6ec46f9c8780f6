package io.dshm.server.frontend;

import io.dshm.proto.Command;
import io.dshm.server.rights.User;
import io.dshm.server.rights.Users;

/** The user as whom all clients of a listener act whose protocol knows no secrets. Thread-safe. */
public final class ConfiguredUser {

    private final String name;
    private final AccessLog log = new AccessLog(System::nanoTime);

    /** @param name empty: they are nobody */
    public ConfiguredUser(String name) {
        this.name = name;
    }

    /** By which the log knows the user; {@link Users#NOBODY} while there is none of that name. */
    public long numberIn(Users users) {
        User user = users.named(name);
        return user == null ? Users.NOBODY : user.number();
    }

    /** Whether these users let it do that. */
    public boolean admits(Users users, Command command, Object client) {
        User user = users.named(name);
        if (!users.required() || CommandRights.admit(command, user)) {
            return true;
        }
        log.onDenied(user == null ? "(none)" : name, CommandKind.of(command), client);
        return false;
    }
}
