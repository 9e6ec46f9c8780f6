package io.dshm.client;

import java.time.Duration;
import java.util.Optional;

/**
 * What a limit decided.
 *
 * @param allowed whether the cost was taken
 * @param limit what can be taken at once of a limit that is unused
 * @param remaining what can be taken now
 * @param reset until all of it is there again, if nothing more is taken
 * @param retry until the same cost would be admitted; zero if it was, nothing if it never is
 * @param delay how long a call that was admitted is to wait; zero for all algorithms but {@code leaky}
 */
public record Decision(
        boolean allowed, long limit, long remaining, Duration reset, Optional<Duration> retry, Duration delay) {}
