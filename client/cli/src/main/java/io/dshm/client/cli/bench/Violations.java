package io.dshm.client.cli.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** What replies said that cannot be. Of one thread, but for {@link #count}. */
final class Violations {

    /** What is checked. */
    enum Kind {
        /** Each number of a counter is a reply once, and the last one is the number of increments. */
        COUNTS,
        /** No limit admits more than it may. */
        LIMITS,
        /** A read shows what was acknowledged before it was sent, or something later. */
        READS,
        /** An element of a list comes out once, and none is lost. */
        LISTS,
        /** Of those who store what must not be there yet, one succeeds. */
        ADDS
    }

    private static final int TEXTS_MAX = 10;

    private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);
    private final List<String> texts = new ArrayList<>();
    private final AtomicLong count = new AtomicLong();

    void add(Kind kind, String text) {
        add(kind, 1, text);
    }

    void add(Kind kind, long times, String text) {
        counts.merge(kind, times, Long::sum);
        count.addAndGet(times);
        if (texts.size() < TEXTS_MAX) {
            texts.add(text);
        }
    }

    void addAll(Violations other) {
        other.counts.forEach((kind, times) -> counts.merge(kind, times, Long::sum));
        count.addAndGet(other.count());
        other.texts.stream().limit(TEXTS_MAX - (long) texts.size()).forEach(texts::add);
    }

    /** How many; any thread may ask. */
    long count() {
        return count.get();
    }

    Map<Kind, Long> counts() {
        return counts;
    }

    /** The first ones in words. */
    List<String> texts() {
        return texts;
    }
}
