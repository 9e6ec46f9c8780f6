package io.dshm.client;

import java.time.Duration;

/**
 * Tokens that a holder spends by itself.
 *
 * @param granted how many; 0 if there were fewer than it wanted at least
 * @param limit what can be taken at once of a limit that is unused
 * @param remaining what can be taken now by others
 * @param life for how long they may be spent, counted from the moment <em>before</em> the request was sent, by a clock
 *     that never steps, less a margin for clocks of different speed
 */
public record Share(long granted, long limit, long remaining, Duration life) {}
