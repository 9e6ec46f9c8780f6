package io.dshm.server;

import com.google.protobuf.ByteString;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.proto.Right;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.server.admin.RefusedException;
import io.dshm.server.admin.UserChange;
import io.dshm.server.rights.User;
import io.dshm.server.rights.Users;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Users as operators see and change them: from words to a command for the log, and from its reply to a sentence. */
final class UserOperator {

    /** How the default region is written. */
    private static final String DEFAULT_REGION = ":";

    private UserOperator() {}

    /** Names and rights, never hashes. */
    static Map<String, Object> list(Users users) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("auth", users.required() ? "on" : "off");
        fields.put("users", users.all().stream().map(UserOperator::fields).toList());
        return fields;
    }

    private static Map<String, Object> fields(User user) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("user", user.name());
        fields.put("rights", user.rights());
        fields.put("secrets", user.secretCount());
        return fields;
    }

    static boolean isAdmin(Users users, String name, byte[] secret) {
        long number = users.authenticate(name.getBytes(StandardCharsets.UTF_8), secret);
        User user = users.withNumber(number);
        return user != null && user.mayEverywhere(Right.ADMIN);
    }

    /**
     * The command for the log.
     *
     * @throws RefusedException if something is wrong or missing; the message says what
     */
    static ChangeUsersCommand command(UserChange change) throws RefusedException {
        ChangeUsersCommand.Builder command = ChangeUsersCommand.newBuilder()
                .setAction(action(change.action()))
                .setName(change.name());
        for (String right : change.rights()) {
            command.addRights(right(right));
        }
        if (!change.hash().isEmpty()) {
            command.setSecret(
                    HashedSecret.newBuilder().setSalt(hex(change.salt())).setHash(hex(change.hash())));
        }
        if (!Users.isChange(command.build())) {
            throw refused("this is no " + change.action()
                    + ": names have letters, digits and . _ -, and what the action needs is to be there");
        }
        return command.build();
    }

    private static ChangeUsersCommand.Action action(String word) throws RefusedException {
        return switch (word) {
            case "add" -> ChangeUsersCommand.Action.ADD;
            case "grant" -> ChangeUsersCommand.Action.GRANT;
            case "revoke" -> ChangeUsersCommand.Action.REVOKE;
            case "rotate" -> ChangeUsersCommand.Action.ROTATE;
            case "finish-rotation" -> ChangeUsersCommand.Action.FINISH_ROTATION;
            case "replace-secret" -> ChangeUsersCommand.Action.REPLACE_SECRET;
            case "remove" -> ChangeUsersCommand.Action.REMOVE;
            case "auth-on" -> ChangeUsersCommand.Action.REQUIRE;
            case "auth-off" -> ChangeUsersCommand.Action.DO_NOT_REQUIRE;
            default -> throw refused("users have no " + word);
        };
    }

    private static GrantedRight right(String text) throws RefusedException {
        int colon = text.indexOf(':');
        String word = text.substring(0, Math.max(0, colon));
        String pattern = text.substring(colon + 1);
        ByteString bytes = pattern.equals(DEFAULT_REGION) ? ByteString.EMPTY : ByteString.copyFromUtf8(pattern);
        if (pattern.isEmpty() || !Users.isPattern(bytes)) {
            throw refused("a right is RIGHT:REGION, such as read:limits, write:tenant-* or admin:*; read:: is of the"
                    + " default region");
        }
        for (Right right : Right.values()) {
            if (right.word().equals(word)) {
                return GrantedRight.newBuilder()
                        .setKind(kind(right))
                        .setPattern(bytes)
                        .build();
            }
        }
        throw refused("there is no right '" + word + "', but "
                + Arrays.stream(Right.values()).map(Right::word).collect(Collectors.joining(", ")));
    }

    private static GrantedRight.Kind kind(Right right) {
        return switch (right) {
            case READ -> GrantedRight.Kind.READ;
            case WRITE -> GrantedRight.Kind.WRITE;
            case TAKE -> GrantedRight.Kind.TAKE;
            case ADMIN -> GrantedRight.Kind.ADMIN;
        };
    }

    private static ByteString hex(String text) throws RefusedException {
        try {
            return ByteString.copyFrom(HexFormat.of().parseHex(text));
        } catch (IllegalArgumentException e) {
            throw refused("salt= and hash= are hexadecimal");
        }
    }

    /** The sentence that says what was done. */
    static String said(ChangeUsersCommand command, Reply reply) throws RefusedException {
        if (reply instanceof Reply.Failure failure) {
            String text = failure.code().wireName() + (failure.text() == null ? "" : ": " + failure.text());
            if (failure.code().effect() == ErrorCode.Effect.NONE) {
                throw refused(text);
            }
            throw new IllegalStateException(text);
        }
        String name = command.getName();
        return switch (command.getAction()) {
            case ADD -> "the user " + name + " is added";
            case GRANT, REVOKE -> "the rights of " + name + " are changed, on each node as soon as it has applied it";
            case ROTATE -> name + " has a new secret; the old one goes on until the rotation is finished";
            case FINISH_ROTATION -> name + " has its newest secret only; connections with the old one end";
            case REPLACE_SECRET -> name + " has a new secret; connections with an old one end";
            case REMOVE -> "the user " + name + " is removed; its connections end";
            case REQUIRE -> "auth is on: who does not say AUTH may do nothing";
            case DO_NOT_REQUIRE -> "auth is off: everybody may do everything";
            case UNRECOGNIZED -> throw new IllegalArgumentException("no action");
        };
    }

    private static RefusedException refused(String why) {
        return new RefusedException(RefusedException.REFUSED, why);
    }
}
