package io.dshm.client;

/**
 * What became of a value that was to be stored.
 *
 * @param stored whether it was; if not, the condition did not hold, and nothing has changed
 * @param version of the entry; 0 if it was not stored
 * @param evicted whether other entries had to go for it
 */
public record Stored(boolean stored, long version, boolean evicted) {}
