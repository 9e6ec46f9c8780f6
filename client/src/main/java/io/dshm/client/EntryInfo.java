package io.dshm.client;

import io.dshm.proto.ValueType;
import java.time.Duration;
import java.util.Optional;

/**
 * All about an entry but its value.
 *
 * @param type what kind of entry it is
 * @param length of a value in bytes, of a list in elements, of a limiter in tokens left
 * @param flags 32 bits
 * @param ttl how long it still lives, less than zero if it is stale; nothing if it never expires
 * @param version the number of the write that made it what it is
 */
public record EntryInfo(ValueType type, long length, int flags, Optional<Duration> ttl, long version) {}
