package io.dshm.server.simulation;

import com.google.protobuf.ByteString;
import io.dshm.proto.Limits;
import io.dshm.proto.Secrets;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.server.rights.Users;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** The users of the simulation, their secrets, and how an operator changes them. */
final class Logins {

    private static final byte[] APP = "app".getBytes(StandardCharsets.US_ASCII);
    private static final int SECRETS = 4;

    /** The first changes: those of {@link #change}. */
    private static final int[] FIRST = {2, 0, 11};

    private static final byte[] SALT = new byte[Limits.SECRET_SALT_BYTES];

    private Logins() {}

    /** By which a client is known at a node with those users, which may be behind: that of a secret, at times nobody's. */
    static long credential(Users users, Random random) {
        if (random.nextInt(30) == 0) {
            return Users.NOBODY;
        }
        for (int number = 0; number < SECRETS; number++) {
            long credential = users.authenticate(APP, secret(number));
            if (credential != Users.NOBODY) {
                return credential;
            }
        }
        return Users.NOBODY;
    }

    private static byte[] secret(int number) {
        return ("the secret " + number).getBytes(StandardCharsets.US_ASCII);
    }

    /** @param changes how many there were before: the first ones make users, and require one */
    static ChangeUsersCommand change(int changes, Events events) {
        ChangeUsersCommand.Builder change = ChangeUsersCommand.newBuilder().setName("app");
        HashedSecret secret = HashedSecret.newBuilder()
                .setSalt(ByteString.copyFrom(SALT))
                .setHash(ByteString.copyFrom(Secrets.hash(SALT, secret(events.random.nextInt(SECRETS)))))
                .build();
        GrantedRight admin = right(GrantedRight.Kind.ADMIN, "*");
        return switch (changes < 3 ? FIRST[changes] : events.random.nextInt(13)) {
            case 0 ->
                change.setAction(ChangeUsersCommand.Action.ADD)
                        .setSecret(secret)
                        .addRights(right(GrantedRight.Kind.WRITE, "*"))
                        .addRights(right(GrantedRight.Kind.READ, "*"))
                        .build();
            case 2 ->
                change.setAction(ChangeUsersCommand.Action.ADD)
                        .setName("root")
                        .setSecret(secret)
                        .addRights(admin)
                        .build();
            case 1, 4 ->
                change.setAction(ChangeUsersCommand.Action.GRANT)
                        .addRights(right(GrantedRight.Kind.WRITE, events.oneIn(2) ? "*" : "r"))
                        .build();
            case 5 ->
                change.setAction(ChangeUsersCommand.Action.REVOKE)
                        .addRights(right(events.oneIn(2) ? GrantedRight.Kind.WRITE : GrantedRight.Kind.READ, "*"))
                        .build();
            case 6 ->
                change.setAction(ChangeUsersCommand.Action.GRANT)
                        .addRights(right(events.oneIn(2) ? GrantedRight.Kind.TAKE : GrantedRight.Kind.READ, "*"))
                        .build();
            case 7 ->
                change.setAction(ChangeUsersCommand.Action.ROTATE)
                        .setSecret(secret)
                        .build();
            case 8 ->
                change.setAction(ChangeUsersCommand.Action.FINISH_ROTATION).build();
            case 9 ->
                change.setAction(ChangeUsersCommand.Action.REPLACE_SECRET)
                        .setSecret(secret)
                        .build();
            case 10 ->
                change.setAction(ChangeUsersCommand.Action.REMOVE)
                        .setName(events.oneIn(2) ? "root" : "app")
                        .build();
            case 3, 11 ->
                change.setAction(ChangeUsersCommand.Action.REQUIRE).setName("").build();
            default ->
                change.setAction(ChangeUsersCommand.Action.DO_NOT_REQUIRE)
                        .setName("")
                        .build();
        };
    }

    private static GrantedRight right(GrantedRight.Kind kind, String pattern) {
        return GrantedRight.newBuilder()
                .setKind(kind)
                .setPattern(ByteString.copyFromUtf8(pattern))
                .build();
    }
}
