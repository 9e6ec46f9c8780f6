package io.dshm.server.rights;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Right;
import io.dshm.proto.Secrets;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.proto.wire.SnapshotSecret;
import io.dshm.proto.wire.SnapshotUser;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One user. Immutable. */
public final class User {

    /** What a user takes in memory beside the bytes of its name and its patterns, roughly. */
    private static final int BYTES = 512;

    /** The same for a secret and for a right. */
    private static final int PART_BYTES = 160;

    private final SnapshotUser state;
    private final Map<Right, RegionPatterns> regions = new EnumMap<>(Right.class);

    User(SnapshotUser state) {
        this.state = state;
        for (Right right : Right.values()) {
            regions.put(
                    right,
                    new RegionPatterns(state.getRightsList().stream()
                            .filter(granted -> right(granted).includes(right))
                            .map(granted -> granted.getPattern().toByteArray())
                            .toList()));
        }
    }

    public String name() {
        return state.getName();
    }

    /** The number of this user, which no other user and no secret ever has. */
    public long number() {
        return state.getNumber();
    }

    SnapshotUser state() {
        return state;
    }

    /** How many secrets it has: two while one takes the other's place. */
    public int secretCount() {
        return state.getSecretsCount();
    }

    /**
     * What a user may do, and where, as operators write it: {@code read:limits}; the default region is {@code read::}.
     */
    public List<String> rights() {
        return state.getRightsList().stream()
                .map(granted -> right(granted).word() + ":"
                        + (granted.getPattern().isEmpty()
                                ? ":"
                                : granted.getPattern().toStringUtf8()))
                .toList();
    }

    /** Whether the user may do that in the region of that key. */
    public boolean may(Right right, Key key) {
        RegionPatterns patterns = patterns(right);
        return patterns.isAll() || patterns.include(key.bytes(), key.regionBytes());
    }

    /** The same for the bytes of a key. */
    public boolean mayAt(Right right, ByteString key) {
        RegionPatterns patterns = patterns(right);
        if (patterns.isAll()) {
            return true;
        }
        int length = 0;
        while (length < key.size() && key.byteAt(length) != ':') {
            length++;
        }
        if (length == key.size()) {
            length = 0;
        }
        return patterns.include(key.substring(0, length).toByteArray(), length);
    }

    /** Whether the user may do that in that region; an empty name is the default region. */
    public boolean mayIn(Right right, byte[] region) {
        return patterns(right).include(region, region.length);
    }

    /** Whether the user may do that in every region. */
    public boolean mayEverywhere(Right right) {
        return patterns(right).isAll();
    }

    private RegionPatterns patterns(Right right) {
        RegionPatterns patterns = regions.get(right);
        if (patterns == null) {
            throw new IllegalStateException("no patterns of " + right);
        }
        return patterns;
    }

    /** The number of the secret that this is; 0 if it is none of the user's. Takes as long whichever byte is wrong. */
    long numberOfSecret(byte[] secret) {
        long number = 0;
        for (SnapshotSecret known : state.getSecretsList()) {
            HashedSecret hashed = known.getSecret();
            byte[] hash = Secrets.hash(hashed.getSalt().toByteArray(), secret);
            if (MessageDigest.isEqual(hash, hashed.getHash().toByteArray())) {
                number = known.getNumber();
            }
        }
        return number;
    }

    boolean hasNewest(HashedSecret secret) {
        return state.getSecrets(state.getSecretsCount() - 1).getSecret().equals(secret);
    }

    User withSecret(long number, HashedSecret secret, boolean alone) {
        SnapshotUser.Builder changed = state.toBuilder();
        if (alone) {
            changed.clearSecrets();
        }
        return new User(
                changed.addSecrets(SnapshotSecret.newBuilder().setNumber(number).setSecret(secret))
                        .build());
    }

    User withNewestSecretOnly() {
        SnapshotSecret newest = state.getSecrets(state.getSecretsCount() - 1);
        return new User(state.toBuilder().clearSecrets().addSecrets(newest).build());
    }

    User with(List<GrantedRight> more) {
        Set<GrantedRight> rights = new LinkedHashSet<>(state.getRightsList());
        rights.addAll(more);
        return withRights(new ArrayList<>(rights));
    }

    boolean hasOneOf(List<GrantedRight> rights) {
        return rights.stream().anyMatch(state.getRightsList()::contains);
    }

    User without(List<GrantedRight> less) {
        List<GrantedRight> rights = new ArrayList<>(state.getRightsList());
        rights.removeAll(less);
        return withRights(rights);
    }

    private User withRights(List<GrantedRight> rights) {
        return new User(state.toBuilder().clearRights().addAllRights(rights).build());
    }

    boolean hasTooManyRights() {
        return state.getRightsCount() > Limits.USER_RIGHTS_MAX;
    }

    /** What it takes in memory, by a formula that is the same on all nodes. */
    long bytes() {
        return BYTES
                + name().length()
                + (long) PART_BYTES * state.getSecretsCount()
                + state.getRightsList().stream()
                        .mapToLong(right -> PART_BYTES + right.getPattern().size())
                        .sum();
    }

    private static Right right(GrantedRight granted) {
        return switch (granted.getKind()) {
            case READ -> Right.READ;
            case WRITE -> Right.WRITE;
            case TAKE -> Right.TAKE;
            case ADMIN -> Right.ADMIN;
            case UNRECOGNIZED -> throw new IllegalArgumentException("a right of an unknown kind");
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof User that && state.equals(that.state);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(state.toByteArray());
    }

    /** Without secrets. */
    @Override
    public String toString() {
        return name() + rights();
    }
}
