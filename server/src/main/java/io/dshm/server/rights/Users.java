package io.dshm.server.rights;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Right;
import io.dshm.proto.Secrets;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.proto.wire.SnapshotUser;
import io.dshm.proto.wire.SnapshotUsers;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The users of a cluster, and whether everybody must be one. Immutable: a change makes new ones, so that any thread may look.
 *
 * <p>Who has come with a secret is known by the secret's number from then on, and who acts as a user by configuration by the user's
 * number. Numbers are never used twice: when a user or a secret is gone, its number is nobody's, wherever it still stands.
 */
public final class Users {

    /** There are none, and nobody must be one. */
    public static final Users NONE = new Users(false, 0, new TreeMap<>());

    /** Nobody's number. */
    public static final long NOBODY = 0;

    /** What becomes of a change. */
    public enum Verdict {
        DONE,
        /** There is no user of that name. */
        NO_SUCH_USER,
        /** The user has none of the rights that are to be taken from it. */
        NO_SUCH_RIGHT,
        /** There is a user of that name already, or it has two secrets already. */
        EXISTS,
        /** There would be too many users or rights. */
        TOO_MANY,
        /** Nobody would be left who may change anything, while everybody must be a user. */
        NO_ADMIN
    }

    /** The users after a change; the same as before unless the verdict is DONE. */
    public record Changed(Users users, Verdict verdict) {}

    private final boolean required;
    private final long lastNumber;
    private final SortedMap<String, User> byName;
    private final Map<Long, User> byNumber = new HashMap<>();
    private final long bytes;

    private Users(boolean required, long lastNumber, SortedMap<String, User> byName) {
        this.required = required;
        this.lastNumber = lastNumber;
        this.byName = Collections.unmodifiableSortedMap(byName);
        for (User user : byName.values()) {
            byNumber.put(user.number(), user);
            user.state().getSecretsList().forEach(secret -> byNumber.put(secret.getNumber(), user));
        }
        this.bytes = byName.values().stream().mapToLong(User::bytes).sum();
    }

    /** What a snapshot has. */
    public static Users of(SnapshotUsers state) {
        SortedMap<String, User> users = new TreeMap<>();
        state.getUsersList().forEach(user -> users.put(user.getName(), new User(user)));
        return new Users(state.getRequired(), state.getLastNumber(), users);
    }

    /** For a snapshot; null if there never was a user. */
    public @Nullable SnapshotUsers toWire() {
        return lastNumber == 0 && !required
                ? null
                : SnapshotUsers.newBuilder()
                        .setRequired(required)
                        .setLastNumber(lastNumber)
                        .addAllUsers(byName.values().stream().map(User::state).toList())
                        .build();
    }

    /** Whether everybody must be a user. */
    public boolean required() {
        return required;
    }

    /** By their names. */
    public Collection<User> all() {
        return byName.values();
    }

    /** The user of that name. */
    public @Nullable User named(String name) {
        return byName.get(name);
    }

    /** Who has come with the secret, or is the user, of that number. */
    public @Nullable User withNumber(long number) {
        return byNumber.get(number);
    }

    /** The number of the secret that this is, or {@link #NOBODY}. */
    public long authenticate(byte[] name, byte[] secret) {
        User user = byName.get(new String(name, StandardCharsets.ISO_8859_1));
        return user == null ? NOBODY : user.numberOfSecret(secret);
    }

    /** What they take in memory. */
    public long bytes() {
        return bytes;
    }

    /** What a change adds to that at most. */
    public static long bytesAddedBy(ChangeUsersCommand change) {
        return switch (change.getAction()) {
            case ADD, GRANT, ROTATE -> newUser(change, 0).bytes();
            case REVOKE, FINISH_ROTATION, REPLACE_SECRET, REMOVE, REQUIRE, DO_NOT_REQUIRE, UNRECOGNIZED -> 0;
        };
    }

    /** Whether that may be proposed: what it says is complete, and within the limits. */
    public static boolean isChange(ChangeUsersCommand change) {
        boolean named = Secrets.isUserName(change.getName());
        boolean hasRights = change.getRightsCount() > 0;
        boolean hasSecret = change.hasSecret();
        boolean isComplete = switch (change.getAction()) {
            case ADD -> named && hasSecret;
            case GRANT, REVOKE -> named && hasRights && !hasSecret;
            case ROTATE, REPLACE_SECRET -> named && hasSecret && !hasRights;
            case FINISH_ROTATION, REMOVE -> named && !hasSecret && !hasRights;
            case REQUIRE, DO_NOT_REQUIRE -> change.getName().isEmpty() && !hasSecret && !hasRights;
            case UNRECOGNIZED -> false;
        };
        return isComplete
                && change.getUnknownFields().asMap().isEmpty()
                && (!hasSecret || isSecret(change.getSecret()))
                && change.getRightsCount() <= Limits.USER_RIGHTS_MAX
                && change.getRightsList().stream().allMatch(Users::isRight);
    }

    private static boolean isSecret(HashedSecret secret) {
        return secret.getSalt().size() == Limits.SECRET_SALT_BYTES
                && secret.getHash().size() == Limits.SECRET_HASH_BYTES
                && secret.getUnknownFields().asMap().isEmpty();
    }

    private static boolean isRight(GrantedRight right) {
        return right.getKind() != GrantedRight.Kind.UNRECOGNIZED
                && isPattern(right.getPattern())
                && right.getUnknownFields().asMap().isEmpty();
    }

    /** What may be a region's name, and at most one {@code *}, at its end. */
    public static boolean isPattern(ByteString pattern) {
        for (int at = 0; at < pattern.size(); at++) {
            byte next = pattern.byteAt(at);
            if (!Key.mayContain(next) || next == ':' || (next == '*' && at < pattern.size() - 1)) {
                return false;
            }
        }
        return pattern.size() <= Limits.RIGHT_PATTERN_BYTES_MAX;
    }

    /**
     * The users after a change. The same change again, at once, changes nothing: an operator whose answer is lost may ask again. Only
     * that there is nothing to revoke is said, because that may be a mistyped right, which is not revoked.
     *
     * @param change one that {@linkplain #isChange may be proposed}
     */
    public Changed after(ChangeUsersCommand change) {
        String name = change.getName();
        User user = byName.get(name);
        return switch (change.getAction()) {
            case ADD -> add(user, change);
            case REQUIRE -> hasAdmin() ? require(true) : refused(Verdict.NO_ADMIN);
            case DO_NOT_REQUIRE -> require(false);
            case GRANT, REVOKE, ROTATE, REPLACE_SECRET, FINISH_ROTATION, REMOVE ->
                user == null ? refused(Verdict.NO_SUCH_USER) : change(user, change);
            case UNRECOGNIZED -> throw new IllegalArgumentException("a change of an unknown kind");
        };
    }

    private Changed add(@Nullable User there, ChangeUsersCommand change) {
        if (there != null) {
            boolean same = there.hasNewest(change.getSecret())
                    && there.state()
                            .getRightsList()
                            .equals(newUser(change, 0).state().getRightsList());
            return same ? new Changed(this, Verdict.DONE) : refused(Verdict.EXISTS);
        }
        return byName.size() >= Limits.USERS_MAX
                ? refused(Verdict.TOO_MANY)
                : with(newUser(change, lastNumber + 1), lastNumber + 2);
    }

    /** With its own number, and the next one for its secret. */
    private static User newUser(ChangeUsersCommand change, long number) {
        return new User(SnapshotUser.newBuilder()
                        .setName(change.getName())
                        .setNumber(number)
                        .build())
                .withSecret(number + 1, change.getSecret(), true)
                .with(change.getRightsList());
    }

    private Changed change(User user, ChangeUsersCommand change) {
        return switch (change.getAction()) {
            case GRANT -> with(user.with(change.getRightsList()), lastNumber);
            case REVOKE ->
                user.hasOneOf(change.getRightsList())
                        ? with(user.without(change.getRightsList()), lastNumber)
                        : refused(Verdict.NO_SUCH_RIGHT);
            case ROTATE, REPLACE_SECRET -> withSecret(user, change);
            case FINISH_ROTATION -> with(user.withNewestSecretOnly(), lastNumber);
            default -> {
                SortedMap<String, User> changed = new TreeMap<>(byName);
                changed.remove(user.name());
                yield checked(new Users(required, lastNumber, changed));
            }
        };
    }

    private Changed withSecret(User user, ChangeUsersCommand change) {
        boolean alone = change.getAction() == ChangeUsersCommand.Action.REPLACE_SECRET;
        if (user.hasNewest(change.getSecret())) {
            return alone ? with(user.withNewestSecretOnly(), lastNumber) : new Changed(this, Verdict.DONE);
        }
        return user.secretCount() > 1 && !alone
                ? refused(Verdict.EXISTS)
                : with(user.withSecret(lastNumber + 1, change.getSecret(), alone), lastNumber + 1);
    }

    private Changed with(User user, long last) {
        if (user.hasTooManyRights()) {
            return refused(Verdict.TOO_MANY);
        }
        SortedMap<String, User> changed = new TreeMap<>(byName);
        changed.put(user.name(), user);
        return checked(new Users(required, last, changed));
    }

    private Changed checked(Users changed) {
        return required && !changed.hasAdmin() ? refused(Verdict.NO_ADMIN) : new Changed(changed, Verdict.DONE);
    }

    private Changed require(boolean wanted) {
        return new Changed(new Users(wanted, lastNumber, new TreeMap<>(byName)), Verdict.DONE);
    }

    private Changed refused(Verdict why) {
        return new Changed(this, why);
    }

    private boolean hasAdmin() {
        return byName.values().stream().anyMatch(user -> user.mayEverywhere(Right.ADMIN));
    }

    @Override
    public String toString() {
        return (required ? "required " : "not required ") + byName.values();
    }
}
