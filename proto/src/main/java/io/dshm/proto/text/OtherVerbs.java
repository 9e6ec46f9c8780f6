package io.dshm.proto.text;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What to say to a verb that there is not: which one is nearest. It knows those of Redis, memcached and etcd, and finds
 * typing errors in ours. Nothing that a client has sent is in the texts.
 */
final class OtherVerbs {

    private static final String UNKNOWN = "unknown verb. ";

    /** How many letters may be missing, wrong or too many in a verb that is meant. */
    private static final int TYPING_ERRORS_MAX = 2;

    private static final Verb[] OURS = Verb.values();

    private static final Rejection FAR_FROM_ALL = refusal(UNKNOWN + "HELP lists the verbs");

    private static final Map<String, Rejection> KNOWN = new HashMap<>();

    static {
        String all = Arrays.stream(OURS).map(Verb::name).collect(Collectors.joining(" "));
        KNOWN.put("HELP", refusal("the verbs are " + all));
        KNOWN.put("COMMAND", refusal("the verbs are " + all));

        nearest(Verb.GET, "", "MGET", "GETRANGE", "GAT");
        nearest(Verb.MULTI, "", "EXEC", "TXN", "MSET", "PIPELINE");
        nearest(Verb.SET, "the time to live is its second argument", "SETEX", "PSETEX", "APPEND", "PREPEND");
        nearest(Verb.DELETE, "", "DEL", "UNLINK", "RM");
        nearest(Verb.INCR, "it also subtracts: by may be negative", "INCRBY", "DECR", "DECRBY");
        nearest(Verb.INCR_NUMBER, "", "INCRBYFLOAT");
        nearest(Verb.TOUCH, "", "SETTTL");
        nearest(
                Verb.EXPIRE,
                "times are in seconds, fractions allowed; 0 is for ever",
                "PEXPIRE",
                "PERSIST",
                "EXPIREAT");
        nearest(
                Verb.STAT,
                "it replies ttl= (milliseconds), type= and length=",
                "TTL",
                "PTTL",
                "EXISTS",
                "TYPE",
                "STRLEN",
                "LLEN");
        nearest(Verb.FETCH, "it replies the version for PUT's if=", "GETS", "MG");
        nearest(
                Verb.PUT,
                "if= is absent to add, present to replace, a version to compare",
                "SETNX",
                "ADD",
                "REPLACE",
                "CAS",
                "MS");
        nearest(Verb.REMOVE, "", "MD");
        nearest(Verb.KEYS, "", "SCAN", "LS", "RANGE");
        nearest(Verb.REGION, "", "DBSIZE", "SIZE");
        nearest(Verb.FLUSHALL, "it empties one region", "FLUSHDB", "FLUSH_ALL", "FLUSH");
        nearest(Verb.INFO, "", "HELLO", "VERSION", "STATS", "STATUS", "CLUSTER", "ROLE", "MEMBER", "ENDPOINT");
        nearest(Verb.PING, "", "ECHO", "MN");
        nearest(Verb.QUIT, "", "EXIT", "BYE", "CLOSE", "SHUTDOWN");
        KNOWN.put("SELECT", refusal(UNKNOWN + "The region of a key is the part before its first colon: sessions:abc"));
    }

    private OtherVerbs() {}

    /** The refusal of a line that begins with {@code bytes[from, to)}, which is no verb. */
    static Rejection refusal(byte[] bytes, int from, int to) {
        if (to - from > Verb.NAME_BYTES_MAX) {
            return FAR_FROM_ALL;
        }
        String name = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
        Rejection known = KNOWN.get(name);
        if (known != null) {
            return known;
        }
        Verb meant = meant(name);
        return meant == null ? FAR_FROM_ALL : refusal(UNKNOWN + meant.usage());
    }

    private static void nearest(Verb verb, String remark, String... names) {
        String text = UNKNOWN
                + (remark.isEmpty() ? "" : "The nearest is " + verb.name() + ", " + remark + ". ")
                + verb.usage();
        for (String name : names) {
            KNOWN.put(name, refusal(text));
        }
    }

    private static Rejection refusal(String text) {
        return new Rejection(new Failure(ErrorCode.MALFORMED_REQUEST, text), false);
    }

    /**
     * The verb with the fewest typing errors in that name; null if there are too many in all, or hardly a letter is
     * right.
     */
    private static @Nullable Verb meant(String name) {
        Verb meant = null;
        int fewest = Math.min(TYPING_ERRORS_MAX, name.length() / 2) + 1;
        for (Verb verb : OURS) {
            if (Math.abs(verb.name().length() - name.length()) < fewest) {
                int errors = typingErrors(name, verb.name());
                if (errors < fewest) {
                    fewest = errors;
                    meant = verb;
                }
            }
        }
        return meant;
    }

    /** The letters to be added, removed or changed to make one name of the other (Levenshtein). */
    private static int typingErrors(String from, String to) {
        int[] errors = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            errors[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = errors[0];
            errors[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = errors[j];
                errors[j] = Math.min(changed, 1 + Math.min(errors[j], errors[j - 1]));
            }
        }
        return errors[to.length()];
    }
}
