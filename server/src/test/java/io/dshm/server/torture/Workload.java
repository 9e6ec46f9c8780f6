package io.dshm.server.torture;

import io.dshm.proto.Algorithm;
import io.dshm.server.history.Action;
import io.dshm.server.history.Action.ReadMode;
import java.util.List;
import java.util.Random;

/** What clients ask for. Each workload has regions of its own, and new ones in every round. */
enum Workload {
    /** Values that are set, deleted and read. */
    REGISTERS(8) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 45) {
                return List.of(new Action.Get(keys.pick(random), mode(random)));
            } else if (dice < 90) {
                return List.of(new Action.Set(keys.pick(random), "v" + unique, 0));
            }
            return List.of(new Action.Delete(keys.pick(random)));
        }
    },
    /** Numbers that go up by one. */
    COUNTERS(4) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            return List.of(
                    random.nextInt(100) < 85
                            ? new Action.Incr(keys.pick(random), 1, 0, 0)
                            : new Action.Get(keys.pick(random), mode(random)));
        }
    },
    /** Values that live for some seconds, which are set anew. */
    TTLS(6) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 50) {
                return List.of(new Action.Get(keys.pick(random), mode(random)));
            } else if (dice < 75) {
                return List.of(new Action.Set(keys.pick(random), "v" + unique, ttlMillis(random)));
            } else if (dice < 95) {
                return List.of(new Action.Touch(keys.pick(random), ttlMillis(random)));
            }
            return List.of(new Action.Delete(keys.pick(random)));
        }
    },
    /** Limiters, each with a capacity and a window of its own. */
    LIMITERS(3) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int key = random.nextInt(keys.count());
            return List.of(new Action.RateLimiter(keys.get(key), 5 + 15 * key, 3_000 + 1_000L * key));
        }

        @Override
        boolean isReadable(int key) {
            return false;
        }
    },
    /** Tokens by every algorithm, refunded, reserved and all or none; and permits. */
    TAKES(LimitStories.TAKES_KEYS) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            return LimitStories.takes(keys, random, unique);
        }

        @Override
        boolean isReadable(int key) {
            return false;
        }
    },
    /** Tokens that nodes take from shares of their own, and shares of clients, of which some die. */
    SHARES(LimitStories.SHARES_KEYS) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            return LimitStories.shares(keys, random, unique);
        }

        @Override
        boolean isReadable(int key) {
            return false;
        }
    },
    /** A region with few keys that is emptied now and then. */
    FLUSHES(3) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 50) {
                return List.of(new Action.Get(keys.pick(random), mode(random)));
            } else if (dice < 96) {
                return List.of(new Action.Set(keys.pick(random), "v" + unique, 0));
            }
            return List.of(new Action.Flush(keys.region()));
        }
    },
    /** Values that go into the log in pieces, now and then. */
    LARGE(2) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            return List.of(
                    random.nextInt(100) < 80
                            ? new Action.Get(keys.pick(random), mode(random))
                            : new Action.Set(
                                    keys.pick(random),
                                    Values.large(unique, random.nextInt(LARGE_BYTES_MIN, LARGE_BYTES_MAX)),
                                    0));
        }

        @Override
        int pauses() {
            return 30;
        }

        @Override
        boolean pipelines() {
            return false;
        }
    },
    /** More than its region may hold, so that what grows is refused; numbers that are there are counted on. */
    FULL(14) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 20) {
                return List.of(new Action.Incr(keys.get(random.nextInt(2)), 1, 0, 0));
            } else if (dice < 30) {
                return List.of(new Action.Get(keys.get(random.nextInt(2)), mode(random)));
            }
            String key = keys.get(2 + random.nextInt(keys.count() - 2));
            if (dice < 55) {
                return List.of(new Action.Get(key, mode(random)));
            } else if (dice < 85) {
                return List.of(new Action.Set(key, sized(unique, random), 0));
            }
            return List.of(new Action.Delete(key));
        }

        @Override
        String whenFull() {
            return "refuse";
        }
    },
    /** More than its region may hold, so that values are evicted; a limiter and a lock are not. */
    EVICTIONS(18) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 8) {
                return List.of(new Action.Take(keys.get(0), Algorithm.LOG, 30, 20_000, 0, 1, false));
            } else if (dice < 14) {
                Action.Acquire lock = new Action.Acquire(keys.get(1), 1, "h" + unique, 4_500);
                return List.of(lock, new Action.Release(lock.key(), lock.holder()));
            }
            String key = keys.get(2 + random.nextInt(keys.count() - 2));
            return List.of(
                    dice < 55 ? new Action.Get(key, mode(random)) : new Action.Set(key, sized(unique, random), 0));
        }

        @Override
        boolean isReadable(int key) {
            return key > 1;
        }

        @Override
        String whenFull() {
            return "evict";
        }
    },
    /** Everything against the same keys. */
    MIXED(6) {
        @Override
        List<Action> next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 40) {
                return List.of(new Action.Get(keys.pick(random), mode(random)));
            } else if (dice < 60) {
                return List.of(new Action.Set(
                        keys.pick(random),
                        Long.toString(unique * 1_000),
                        random.nextBoolean() ? 0 : ttlMillis(random)));
            } else if (dice < 80) {
                return List.of(new Action.Incr(keys.pick(random), 1 + random.nextInt(3), 0, 0));
            } else if (dice < 90) {
                return List.of(new Action.Touch(keys.pick(random), ttlMillis(random)));
            } else if (dice < 98) {
                return List.of(new Action.Delete(keys.pick(random)));
            }
            return List.of(new Action.Flush(keys.region()));
        }
    };

    /** For reads that must see everything. */
    static final ReadMode STRONGEST = ReadMode.LINEARIZABLE;

    /** More than one piece, see Limits.INLINE_VALUE_BYTES_MAX. */
    private static final int LARGE_BYTES_MIN = 270_000;

    private static final int LARGE_BYTES_MAX = 560_000;
    private static final int SIZED_BYTES_MIN = 300;
    private static final int SIZED_BYTES_MAX = 2_000;
    private static final int TTL_MILLIS_MIN = 1_000;
    private static final int TTL_MILLIS_MAX = 5_000;

    private final int keyCount;

    Workload(int keyCount) {
        this.keyCount = keyCount;
    }

    /** The keys of one round. */
    record Keys(String region, int count) {

        String get(int key) {
            return region + "::k" + key;
        }

        String pick(Random random) {
            return get(random.nextInt(count));
        }
    }

    int keyCount() {
        return keyCount;
    }

    Keys keys(int round) {
        return new Keys(label() + "-" + round, keyCount);
    }

    /** The next operations, which follow each other; values and names are made of this number, which never comes twice. */
    abstract List<Action> next(Keys keys, Random random, long unique);

    /** How many times longer than other clients those of this workload wait between two operations. */
    int pauses() {
        return 1;
    }

    /** Whether that key has values. */
    boolean isReadable(int key) {
        return true;
    }

    /** What its region does when it has no room: {@code refuse} or {@code evict}; empty if it has no limit of its own. */
    String whenFull() {
        return "";
    }

    /**
     * Whether some of its clients send several operations before they read. Who does that with values that no socket's
     * buffer takes, and reads nothing meanwhile, waits for a server that waits for him.
     */
    boolean pipelines() {
        return true;
    }

    /** As it is written on the command line. */
    String label() {
        return Labels.of(this);
    }

    static Workload parse(String label) {
        return Labels.parse(values(), "workload", label);
    }

    private static ReadMode mode(Random random) {
        return random.nextBoolean() ? STRONGEST : ReadMode.LOCAL;
    }

    /** A value of some hundreds of bytes. */
    private static String sized(long unique, Random random) {
        return Values.large(unique, random.nextInt(SIZED_BYTES_MIN, SIZED_BYTES_MAX));
    }

    private static long ttlMillis(Random random) {
        return random.nextInt(TTL_MILLIS_MIN, TTL_MILLIS_MAX);
    }
}
