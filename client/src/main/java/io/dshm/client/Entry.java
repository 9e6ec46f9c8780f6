package io.dshm.client;

import java.time.Duration;
import java.util.Optional;

/**
 * A value and all about it.
 *
 * @param value with type and flags
 * @param ttl how long it still lives, less than zero if it is stale; nothing if it never expires
 * @param version the number of the write that made it what it is; see {@link io.dshm.proto.Condition#version}
 */
public record Entry(Value value, Optional<Duration> ttl, long version) {}
