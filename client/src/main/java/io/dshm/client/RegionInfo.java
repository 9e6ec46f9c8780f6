package io.dshm.client;

/**
 * What is in a region.
 *
 * @param entries how many that have not expired
 * @param stale how many that have, and are not yet purged
 * @param bytes what they take in memory
 * @param capacity the most that they may take
 * @param free what is left of it
 */
public record RegionInfo(long entries, long stale, long bytes, long capacity, long free) {}
