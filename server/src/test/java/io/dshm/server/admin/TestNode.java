package io.dshm.server.admin;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node that is healthy unless told otherwise, and notes what operators change. */
final class TestNode implements NodeInfo {

    /** The secret of {@code root}. Secrets are any bytes, and these are no UTF-8. */
    static final byte[] SECRET = {'r', ':', (byte) 0xff, (byte) 0x80, 's'};

    /** The changes so far. */
    final List<String> asked = new ArrayList<>();

    /** What changes of members get; null if they are done. */
    @Nullable
    RefusedException refusal;

    List<String> problems = List.of();

    @Nullable
    String hang;

    boolean requiresUser;
    boolean knowsUsers = true;

    /** What it learns once it has caught up. */
    boolean requiresUserMeanwhile;

    /** Why it cannot catch up. */
    @Nullable
    IOException noLeader;

    @Override
    public Map<String, Object> users() {
        return Map.of("auth", "off");
    }

    @Override
    public String changeUsers(UserChange change) {
        return change.toString();
    }

    @Override
    public boolean isAdmin(String user, byte[] secret) {
        return user.equals("root") && Arrays.equals(secret, SECRET);
    }

    @Override
    public void catchUp() throws IOException {
        if (noLeader != null) {
            throw noLeader;
        }
        requiresUser |= requiresUserMeanwhile;
    }

    @Override
    public boolean requiresUser() {
        return requiresUser;
    }

    @Override
    public boolean knowsUsers() {
        return knowsUsers;
    }

    @Override
    public @Nullable String problem() {
        return problems.isEmpty() ? null : problems.get(0);
    }

    @Override
    public List<String> problems() {
        return problems;
    }

    @Override
    public @Nullable String hang() {
        return hang;
    }

    @Override
    public Map<String, Object> status() {
        return Map.of();
    }

    @Override
    public Map<String, Object> digest() {
        return Map.of();
    }

    @Override
    public List<Map<String, Object>> regions() {
        return List.of();
    }

    @Override
    public void limitRegion(String name, long bytesMax, boolean evicts) {
        asked.add(name + " " + bytesMax + " " + evicts);
    }

    @Override
    public Map<String, Object> why(String key) {
        return Map.of("key", key);
    }

    @Override
    public Map<String, Object> hotKeys() {
        return Map.of("keys", List.of(Map.of("api:42", 7)));
    }

    @Override
    public void backup(boolean confirmed, OutputStream out) {}

    @Override
    public Map<String, Object> members() {
        return Map.of("members", List.of(Map.of("node", "n\"1")));
    }

    @Override
    public String changeMembers(String action, String subject) throws RefusedException {
        asked.add(action + " " + subject);
        if (refusal != null) {
            throw refusal;
        }
        return "done";
    }

    @Override
    public String reloadTls() throws RefusedException {
        return changeMembers("reload", "tls");
    }
}
