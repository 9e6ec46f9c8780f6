package io.dshm.server.rights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Right;
import io.dshm.proto.Secrets;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.ChangeUsersCommand.Action;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class UsersTest {

    private Users users = Users.NONE;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static HashedSecret hashed(byte[] secret) {
        byte[] salt = Secrets.saltOf("app", secret);
        return HashedSecret.newBuilder()
                .setSalt(ByteString.copyFrom(salt))
                .setHash(ByteString.copyFrom(Secrets.hash(salt, secret)))
                .build();
    }

    private static GrantedRight right(GrantedRight.Kind kind, String pattern) {
        return GrantedRight.newBuilder()
                .setKind(kind)
                .setPattern(ByteString.copyFromUtf8(pattern))
                .build();
    }

    private static ChangeUsersCommand.Builder change(Action action, String name) {
        return ChangeUsersCommand.newBuilder().setAction(action).setName(name);
    }

    private Users.Verdict apply(ChangeUsersCommand.Builder change) {
        assertTrue(Users.isChange(change.build()), change::toString);
        Users.Changed changed = users.after(change.build());
        users = changed.users();
        return changed.verdict();
    }

    private void add(String name, String secret, GrantedRight... rights) {
        ChangeUsersCommand.Builder add = change(Action.ADD, name).setSecret(hashed(bytes(secret)));
        for (GrantedRight right : rights) {
            add.addRights(right);
        }
        assertEquals(Users.Verdict.DONE, apply(add));
    }

    private long login(String name, String secret) {
        return users.authenticate(bytes(name), bytes(secret));
    }

    @Test
    void a_secret_may_have_every_byte() {
        byte[] secret = new byte[256];
        for (int i = 0; i < secret.length; i++) {
            secret[i] = (byte) i;
        }
        assertEquals(Users.Verdict.DONE, apply(change(Action.ADD, "app").setSecret(hashed(secret))));
        assertNotEquals(Users.NOBODY, users.authenticate(bytes("app"), secret));
        for (int i = 0; i < secret.length; i++) {
            byte[] wrong = secret.clone();
            wrong[i] ^= 1;
            assertEquals(Users.NOBODY, users.authenticate(bytes("app"), wrong));
            assertEquals(Users.NOBODY, users.authenticate(new byte[] {(byte) i}, secret));
        }
        assertEquals(Users.NOBODY, users.authenticate(bytes("other"), secret));
    }

    @Test
    void while_a_secret_is_rotated_both_are_good() {
        add("app", "old");
        long old = login("app", "old");
        assertEquals(Users.Verdict.DONE, apply(change(Action.ROTATE, "app").setSecret(hashed(bytes("new")))));
        long renewed = login("app", "new");
        assertEquals(old, login("app", "old"));
        assertNotEquals(old, renewed);
        assertEquals(Users.Verdict.EXISTS, apply(change(Action.ROTATE, "app").setSecret(hashed(bytes("third")))));
        assertEquals(Users.Verdict.DONE, apply(change(Action.FINISH_ROTATION, "app")));
        assertEquals(Users.NOBODY, login("app", "old"));
        assertNull(users.withNumber(old));
        assertNotNull(users.withNumber(renewed));
        assertEquals(
                Users.Verdict.DONE, apply(change(Action.REPLACE_SECRET, "app").setSecret(hashed(bytes("4th")))));
        assertNull(users.withNumber(renewed));
    }

    @Test
    void the_number_of_a_user_that_was_removed_is_nobodys_for_ever() {
        add("app", "s");
        long number = login("app", "s");
        assertEquals(Users.Verdict.DONE, apply(change(Action.REMOVE, "app")));
        assertEquals(Users.Verdict.NO_SUCH_USER, apply(change(Action.REMOVE, "app")));
        users = Users.of(Objects.requireNonNull(users.toWire()));
        add("app", "s");
        assertNotEquals(number, login("app", "s"));
        assertNull(users.withNumber(number));
    }

    @Test
    void somebody_who_may_change_users_is_left_while_one_is_required() {
        assertEquals(Users.Verdict.NO_ADMIN, apply(change(Action.REQUIRE, "")));
        add("half", "s", right(GrantedRight.Kind.ADMIN, "a*"));
        assertEquals(Users.Verdict.NO_ADMIN, apply(change(Action.REQUIRE, "")));
        add("root", "s", right(GrantedRight.Kind.ADMIN, "*"));
        assertEquals(Users.Verdict.DONE, apply(change(Action.REQUIRE, "")));
        assertEquals(Users.Verdict.NO_ADMIN, apply(change(Action.REMOVE, "root")));
        assertEquals(
                Users.Verdict.NO_ADMIN,
                apply(change(Action.REVOKE, "root").addRights(right(GrantedRight.Kind.ADMIN, "*"))));
        assertEquals(Users.Verdict.DONE, apply(change(Action.DO_NOT_REQUIRE, "")));
        assertEquals(Users.Verdict.DONE, apply(change(Action.REMOVE, "root")));
    }

    @Test
    void a_right_that_a_user_has_not_cannot_be_revoked() {
        add("app", "s", right(GrantedRight.Kind.READ, "r"), right(GrantedRight.Kind.READ, "s"));
        GrantedRight mistyped = right(GrantedRight.Kind.READ, "rr");
        assertEquals(
                Users.Verdict.NO_SUCH_RIGHT, apply(change(Action.REVOKE, "app").addRights(mistyped)));
        assertEquals(
                Users.Verdict.NO_SUCH_USER, apply(change(Action.REVOKE, "ap").addRights(mistyped)));
        assertEquals(
                Users.Verdict.DONE,
                apply(change(Action.REVOKE, "app").addRights(mistyped).addRights(right(GrantedRight.Kind.READ, "r"))));
        assertEquals(
                List.of("read:s"), Objects.requireNonNull(users.named("app")).rights());
    }

    @Test
    void who_gives_a_secret_again_has_the_same_hash_and_nobody_else_has() {
        assertEquals(hashed(bytes("s")), hashed(bytes("s")));
        assertFalse(Arrays.equals(Secrets.saltOf("app", bytes("s")), Secrets.saltOf("root", bytes("s"))));
        assertFalse(Arrays.equals(Secrets.saltOf("app", bytes("s")), Secrets.saltOf("app", bytes("t"))));
        add("app", "s");
        assertEquals(Users.Verdict.DONE, apply(change(Action.ADD, "app").setSecret(hashed(bytes("s")))));
        assertEquals(Users.Verdict.DONE, apply(change(Action.ROTATE, "app").setSecret(hashed(bytes("new")))));
        assertEquals(Users.Verdict.DONE, apply(change(Action.ROTATE, "app").setSecret(hashed(bytes("new")))));
        assertEquals(2, Objects.requireNonNull(users.named("app")).secretCount());
    }

    @Test
    void to_ask_again_changes_nothing() {
        ChangeUsersCommand.Builder add =
                change(Action.ADD, "app").setSecret(hashed(bytes("s"))).addRights(right(GrantedRight.Kind.READ, "r"));
        assertEquals(Users.Verdict.DONE, apply(add));
        long number = login("app", "s");
        assertEquals(Users.Verdict.DONE, apply(add));
        assertEquals(number, login("app", "s"));
        assertEquals(Users.Verdict.EXISTS, apply(change(Action.ADD, "app").setSecret(hashed(bytes("s")))));
        ChangeUsersCommand.Builder rotate = change(Action.ROTATE, "app").setSecret(hashed(bytes("t")));
        assertEquals(Users.Verdict.DONE, apply(rotate));
        assertEquals(Users.Verdict.DONE, apply(rotate));
    }

    @Test
    void patterns_name_regions_and_beginnings_of_their_names() {
        add(
                "app",
                "s",
                right(GrantedRight.Kind.READ, "limits"),
                right(GrantedRight.Kind.WRITE, "tenant-*"),
                right(GrantedRight.Kind.READ, ""));
        User app = Objects.requireNonNull(users.named("app"));
        for (String allowed : new String[] {"limits::k", "limits:k", "k", ":k"}) {
            assertTrue(app.may(Right.READ, Key.of(allowed)), allowed);
            assertTrue(app.mayAt(Right.READ, ByteString.copyFromUtf8(allowed)), allowed);
        }
        for (String denied : new String[] {"limit::k", "limits2::k", "tenant-a::k"}) {
            assertFalse(app.may(Right.READ, Key.of(denied)), denied);
            assertFalse(app.mayAt(Right.READ, ByteString.copyFromUtf8(denied)), denied);
        }
        assertTrue(app.may(Right.TAKE, Key.of("tenant-::k")));
        assertTrue(app.mayIn(Right.WRITE, bytes("tenant-a")));
        assertFalse(app.may(Right.WRITE, Key.of("tenant::k")));
        assertFalse(app.mayIn(Right.ADMIN, bytes("tenant-a")));
        for (String bad : new String[] {"a*b", "**", "a:b", "a b", "x".repeat(Limits.RIGHT_PATTERN_BYTES_MAX + 1)}) {
            assertFalse(Users.isPattern(ByteString.copyFromUtf8(bad)), bad);
        }
    }

    @Test
    void there_are_bounds() {
        ChangeUsersCommand.Builder grant = change(Action.GRANT, "app");
        add("app", "s", right(GrantedRight.Kind.READ, "first"));
        for (int i = 0; i < Limits.USER_RIGHTS_MAX; i++) {
            grant.addRights(right(GrantedRight.Kind.READ, "r" + i));
        }
        assertEquals(Users.Verdict.TOO_MANY, apply(grant));
        assertFalse(Users.isChange(
                grant.addRights(right(GrantedRight.Kind.READ, "more")).build()));
        assertFalse(Users.isChange(change(Action.ADD, "app").build()));
        assertFalse(Users.isChange(change(Action.REMOVE, "a b").build()));
        assertFalse(Users.isChange(change(Action.REQUIRE, "app").build()));
        long before = users.bytes();
        ChangeUsersCommand.Builder more = change(Action.ADD, "other").setSecret(hashed(bytes("s")));
        assertEquals(Users.Verdict.DONE, apply(more));
        assertTrue(users.bytes() - before <= Users.bytesAddedBy(more.build()));
    }
}
