package io.dshm.server.torture;

import io.dshm.proto.Algorithm;
import io.dshm.server.history.Action;
import io.dshm.server.history.Action.ReadMode;
import java.util.Random;

/** What clients ask for. Each workload has regions of its own, and new ones in every round. */
enum Workload {
    /** Values that are set, deleted and read. */
    REGISTERS(8) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 45) {
                return new Action.Get(keys.pick(random), mode(random));
            } else if (dice < 90) {
                return new Action.Set(keys.pick(random), "v" + unique, 0);
            }
            return new Action.Delete(keys.pick(random));
        }
    },
    /** Numbers that go up by one. */
    COUNTERS(4) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            return random.nextInt(100) < 85
                    ? new Action.Incr(keys.pick(random), 1, 0, 0)
                    : new Action.Get(keys.pick(random), mode(random));
        }
    },
    /** Values that live for some seconds, which are set anew. */
    TTLS(6) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 50) {
                return new Action.Get(keys.pick(random), mode(random));
            } else if (dice < 75) {
                return new Action.Set(keys.pick(random), "v" + unique, ttlMillis(random));
            } else if (dice < 95) {
                return new Action.Touch(keys.pick(random), ttlMillis(random));
            }
            return new Action.Delete(keys.pick(random));
        }
    },
    /** Limiters, each with a capacity and a window of its own. */
    LIMITERS(3) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            int key = random.nextInt(keys.count());
            return new Action.RateLimiter(keys.get(key), 5 + 15 * key, 3_000 + 1_000L * key);
        }

        @Override
        boolean isReadable() {
            return false;
        }
    },
    /** Tokens by three algorithms, of one to three at a time, and permits, each for a holder of its own that never gives it back. */
    TAKES(4) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            int key = random.nextInt(keys.count());
            String name = keys.get(key);
            int cost = 1 + random.nextInt(3);
            return switch (key) {
                case 0 -> new Action.Take(name, Algorithm.FIXED, 20, 5_000, 0, cost);
                case 1 -> new Action.Take(name, Algorithm.LOG, 15, 4_500, 0, cost);
                case 2 -> new Action.Take(name, Algorithm.GCRA, 30, 5_000, 9, cost);
                default -> new Action.Acquire(name, 6, "h" + unique, 4_500);
            };
        }

        @Override
        boolean isReadable() {
            return false;
        }
    },
    /** A region with few keys that is emptied now and then. */
    FLUSHES(3) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 50) {
                return new Action.Get(keys.pick(random), mode(random));
            } else if (dice < 96) {
                return new Action.Set(keys.pick(random), "v" + unique, 0);
            }
            return new Action.Flush(keys.region());
        }
    },
    /** Values that go into the log in pieces, now and then. */
    LARGE(2) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            return random.nextInt(100) < 80
                    ? new Action.Get(keys.pick(random), mode(random))
                    : new Action.Set(
                            keys.pick(random),
                            Values.large(unique, random.nextInt(LARGE_BYTES_MIN, LARGE_BYTES_MAX)),
                            0);
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
    /** Everything against the same keys. */
    MIXED(6) {
        @Override
        Action next(Keys keys, Random random, long unique) {
            int dice = random.nextInt(100);
            if (dice < 40) {
                return new Action.Get(keys.pick(random), mode(random));
            } else if (dice < 60) {
                return new Action.Set(
                        keys.pick(random), Long.toString(unique * 1_000), random.nextBoolean() ? 0 : ttlMillis(random));
            } else if (dice < 80) {
                return new Action.Incr(keys.pick(random), 1 + random.nextInt(3), 0, 0);
            } else if (dice < 90) {
                return new Action.Touch(keys.pick(random), ttlMillis(random));
            } else if (dice < 98) {
                return new Action.Delete(keys.pick(random));
            }
            return new Action.Flush(keys.region());
        }
    };

    /** For reads that must see everything. */
    static final ReadMode STRONGEST = ReadMode.LINEARIZABLE;

    /** More than one piece, see Limits.INLINE_VALUE_BYTES_MAX. */
    private static final int LARGE_BYTES_MIN = 270_000;

    private static final int LARGE_BYTES_MAX = 560_000;
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

    Keys keys(int round) {
        return new Keys(label() + "-" + round, keyCount);
    }

    /** The next operation; values that are stored are made of this number, which never comes twice. */
    abstract Action next(Keys keys, Random random, long unique);

    /** How many times longer than other clients those of this workload wait between two operations. */
    int pauses() {
        return 1;
    }

    /** Whether its keys have values. */
    boolean isReadable() {
        return true;
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

    private static long ttlMillis(Random random) {
        return random.nextInt(TTL_MILLIS_MIN, TTL_MILLIS_MAX);
    }
}
