package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Rejection;
import io.dshm.proto.Request;
import io.dshm.proto.Secrets;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.ChangeUsersCommand.Action;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.server.rights.Users;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One connection while users change. */
class AccessTest {

    private static final byte[] SALT = Secrets.saltOf("app", new byte[32]);
    private static final Request GET = new Command.Get(Key.of("r::k"));

    private Users users = Users.NONE;
    private final Access access = new Access(() -> users, new AccessLog(() -> 0), "a client");

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static HashedSecret hashed(String secret) {
        return HashedSecret.newBuilder()
                .setSalt(ByteString.copyFrom(SALT))
                .setHash(ByteString.copyFrom(Secrets.hash(SALT, bytes(secret))))
                .build();
    }

    private static ChangeUsersCommand.Builder change(Action action) {
        return ChangeUsersCommand.newBuilder().setAction(action);
    }

    private void apply(ChangeUsersCommand.Builder change) {
        Users.Changed changed = users.after(change.build());
        assertEquals(Users.Verdict.DONE, changed.verdict());
        users = changed.users();
    }

    private void add(String name, GrantedRight.Kind kind, String pattern) {
        apply(change(Action.ADD)
                .setName(name)
                .setSecret(hashed("of " + name))
                .addRights(GrantedRight.newBuilder().setKind(kind).setPattern(ByteString.copyFromUtf8(pattern))));
    }

    private boolean login(String name, String secret) {
        return access.authenticate(new Command.Auth(bytes(name), bytes(secret)));
    }

    private @Nullable ErrorCode refusal(Request request) {
        Rejection refusal = access.refusal(request);
        return refusal == null ? null : refusal.failure().code();
    }

    private void requireUsers() {
        add("root", GrantedRight.Kind.ADMIN, "*");
        add("app", GrantedRight.Kind.READ, "r");
        apply(change(Action.REQUIRE));
    }

    @Test
    void nobody_may_do_everything_until_a_user_is_required() {
        assertNull(refusal(GET));
        requireUsers();
        assertEquals(ErrorCode.AUTH_REQUIRED, refusal(GET));
        assertEquals(
                ErrorCode.AUTH_REQUIRED,
                refusal(new Rejection(new io.dshm.proto.Reply.Failure(ErrorCode.MALFORMED_REQUEST, null), false)));
        assertNull(refusal(Command.Ping.PING));
        assertFalse(access.takesData());
        assertTrue(login("app", "of app"));
        assertTrue(access.takesData());
        assertFalse(login("app", "wrong"));
        apply(change(Action.DO_NOT_REQUIRE));
        assertTrue(access.takesData());
        assertNull(refusal(GET));
    }

    @Test
    void a_wrong_secret_leaves_nobody() {
        requireUsers();
        assertTrue(login("app", "of app"));
        assertNotEquals(Users.NOBODY, access.credential());
        assertNull(refusal(GET));
        assertFalse(login("app", "of root"));
        assertEquals(Users.NOBODY, access.credential());
        assertEquals(ErrorCode.AUTH_REQUIRED, refusal(GET));
    }

    @Test
    void a_right_counts_from_the_moment_it_is_changed() {
        requireUsers();
        assertTrue(login("app", "of app"));
        assertEquals(ErrorCode.DENIED, refusal(new Command.Delete(Key.of("r::k"))));
        GrantedRight.Builder read = GrantedRight.newBuilder().setPattern(ByteString.copyFromUtf8("r"));
        apply(change(Action.REVOKE).setName("app").addRights(read));
        assertEquals(ErrorCode.DENIED, refusal(GET));
        assertFalse(access.isGone());
        apply(change(Action.GRANT).setName("app").addRights(read));
        assertNull(refusal(GET));
    }

    @Test
    void who_is_removed_is_to_leave() {
        requireUsers();
        assertTrue(login("app", "of app"));
        apply(change(Action.REMOVE).setName("app"));
        assertTrue(access.isGone());
        Rejection refusal = access.refusal(GET);
        assertTrue(refusal != null && refusal.closes());
        // Somebody else of that name.
        add("app", GrantedRight.Kind.READ, "r");
        assertTrue(access.isGone());
    }

    @Test
    void who_came_with_the_old_secret_is_to_leave_when_the_rotation_is_finished() {
        requireUsers();
        assertTrue(login("app", "of app"));
        apply(change(Action.ROTATE).setName("app").setSecret(hashed("new")));
        assertNull(refusal(GET));
        apply(change(Action.FINISH_ROTATION).setName("app"));
        assertTrue(access.isGone());
        assertTrue(login("app", "new"));
        assertNull(refusal(GET));
    }
}
