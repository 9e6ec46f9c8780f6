package io.dshm.client;

import io.dshm.proto.Command;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The names of verbs, as observers see them. */
final class Verbs {

    private static final Map<Class<?>, String> NAMES = new ConcurrentHashMap<>();

    private Verbs() {}

    static String nameOf(Command command) {
        return NAMES.computeIfAbsent(command.getClass(), Verbs::name);
    }

    /** RateLimiter is RATE_LIMITER. */
    private static String name(Class<?> kind) {
        return kind.getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase(Locale.ROOT);
    }
}
