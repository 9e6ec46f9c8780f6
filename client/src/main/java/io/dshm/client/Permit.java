package io.dshm.client;

import java.time.Duration;
import java.util.Optional;

/**
 * What somebody gets who asks for a permit.
 *
 * @param allowed whether the holder has one
 * @param limit how many may have one
 * @param remaining how many more could have one now
 * @param retry until one is free, if nobody gives one back or renews it; zero if the holder has one, nothing if it
 *     never is
 * @param fence a number above those of all permits that were given before: whoever is told to do something with it
 *     refuses a lower one than it has seen. 0 if the holder has none
 */
public record Permit(boolean allowed, long limit, long remaining, Optional<Duration> retry, long fence) {}
