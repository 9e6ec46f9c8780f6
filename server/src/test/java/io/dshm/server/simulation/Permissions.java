package io.dshm.server.simulation;

import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The users of the reference: what they may do, worked out in another way than the state machine does. */
final class Permissions {

    /** A user: its numbers (its own first, then its secrets'), its newest secret, and its rights as {@code kind:pattern}. */
    private static final class Account {
        final List<Long> numbers = new ArrayList<>();
        final Set<String> rights;
        HashedSecret newest;

        Account(HashedSecret secret, Set<String> rights) {
            this.newest = secret;
            this.rights = rights;
        }
    }

    private final TreeMap<String, Account> accounts = new TreeMap<>();
    private boolean required;
    private long last;

    /** How many commands were denied. */
    private int denials;

    int denials() {
        return denials;
    }

    boolean admit(CommandRecord record) {
        if (!required
                || record.hasChangeUsers()
                || record.hasLimitRegion()
                || record.hasChunk()
                || record.hasRefused()) {
            return true;
        }
        boolean admits = accounts.values().stream()
                .filter(account -> account.numbers.contains(record.getCredential()))
                .anyMatch(account -> may(account, record));
        if (!admits) {
            denials++;
        }
        return admits;
    }

    private static boolean may(Account account, CommandRecord record) {
        return switch (record.getCommandCase()) {
            case TAKE, TAKE_ALL, RATE_LIMITER, RESERVE, SETTLE, GRANT, GIVE_BACK, ACQUIRE, RELEASE ->
                has(account, record, "TAKE", "WRITE");
            // It shows what was there.
            case INCR -> has(account, record, "WRITE") && has(account, record, "READ");
            default -> has(account, record, "WRITE");
        };
    }

    /** Whether the account has one of these rights in the command's region. */
    private static boolean has(Account account, CommandRecord record, String... kinds) {
        String region = regionOf(record);
        return account.rights.stream().anyMatch(right -> {
            String kind = right.substring(0, right.indexOf(':'));
            String pattern = right.substring(right.indexOf(':') + 1);
            return (kind.equals("ADMIN") || List.of(kinds).contains(kind))
                    && (pattern.endsWith("*")
                            ? region.startsWith(pattern.substring(0, pattern.length() - 1))
                            : region.equals(pattern));
        });
    }

    /** All keys of a command of the simulation's are of one region. */
    private static String regionOf(CommandRecord record) {
        if (record.hasFlushAll()) {
            return Reference.text(record.getFlushAll().getRegion());
        }
        return Reference.regionOf(
                switch (record.getCommandCase()) {
                    case SET -> Reference.text(record.getSet().getKey());
                    case SET_CHUNKED -> Reference.text(record.getSetChunked().getKey());
                    case TOUCH -> Reference.text(record.getTouch().getKey());
                    case DELETE -> Reference.text(record.getDelete().getKey());
                    case INCR -> Reference.text(record.getIncr().getKey());
                    case RATE_LIMITER -> Reference.text(record.getRateLimiter().getKey());
                    case TAKE -> Reference.text(record.getTake().getKey());
                    case TAKE_ALL ->
                        Reference.text(record.getTakeAll().getTakes(0).getKey());
                    case RESERVE -> Reference.text(record.getReserve().getTake().getKey());
                    case GRANT -> Reference.text(record.getGrant().getTake().getKey());
                    case SETTLE -> Reference.text(record.getSettle().getKey());
                    case GIVE_BACK -> Reference.text(record.getGiveBack().getKey());
                    case ACQUIRE -> Reference.text(record.getAcquire().getKey());
                    case RELEASE -> Reference.text(record.getRelease().getKey());
                    default -> throw new IllegalArgumentException("no key in " + record.getCommandCase());
                });
    }

    /** The kind of the outcome. */
    String change(ChangeUsersCommand change) {
        Account account = accounts.get(change.getName());
        switch (change.getAction()) {
            case ADD -> {
                if (account != null) {
                    return account.newest.equals(change.getSecret()) && account.rights.equals(rights(change))
                            ? "APPLIED"
                            : "EXISTS";
                }
                Account added = new Account(change.getSecret(), rights(change));
                added.numbers.addAll(List.of(last + 1, last + 2));
                last += 2;
                accounts.put(change.getName(), added);
            }
            case REQUIRE -> {
                if (!hasAdmin()) {
                    return "BAD_REQUEST";
                }
                required = true;
            }
            case DO_NOT_REQUIRE -> required = false;
            default -> {
                return account == null ? "NOT_FOUND" : change(account, change);
            }
        }
        return "APPLIED";
    }

    private String change(Account account, ChangeUsersCommand change) {
        List<Long> numbers = account.numbers;
        switch (change.getAction()) {
            case GRANT -> account.rights.addAll(rights(change));
            case REVOKE -> {
                Set<String> before = new TreeSet<>(account.rights);
                if (!account.rights.removeAll(rights(change))) {
                    return "NOT_FOUND";
                }
                if (required && !hasAdmin()) {
                    account.rights.addAll(before);
                    return "BAD_REQUEST";
                }
            }
            case ROTATE -> {
                if (account.newest.equals(change.getSecret())) {
                    return "APPLIED";
                }
                if (numbers.size() > 2) {
                    return "EXISTS";
                }
                numbers.add(++last);
                account.newest = change.getSecret();
            }
            case FINISH_ROTATION -> numbers.subList(1, numbers.size() - 1).clear();
            case REPLACE_SECRET -> {
                if (account.newest.equals(change.getSecret())) {
                    numbers.subList(1, numbers.size() - 1).clear();
                } else {
                    numbers.subList(1, numbers.size()).clear();
                    numbers.add(++last);
                    account.newest = change.getSecret();
                }
            }
            default -> {
                accounts.remove(change.getName());
                if (required && !hasAdmin()) {
                    accounts.put(change.getName(), account);
                    return "BAD_REQUEST";
                }
            }
        }
        return "APPLIED";
    }

    private boolean hasAdmin() {
        return accounts.values().stream().anyMatch(account -> account.rights.contains("ADMIN:*"));
    }

    private static Set<String> rights(ChangeUsersCommand change) {
        Set<String> rights = new TreeSet<>();
        for (GrantedRight right : change.getRightsList()) {
            rights.add(right.getKind() + ":" + Reference.text(right.getPattern()));
        }
        return rights;
    }
}
