package io.dshm.server.replication.log;

/**
 * An entry, as it is in the log.
 *
 * @param type what the writer calls it, 0 to 127
 * @param members empty in all but changes of members
 */
@SuppressWarnings("ArrayRecordComponent") // Nobody compares these, and nobody changes the bytes.
public record LogRecord(long index, long term, int type, byte[] members, byte[] data) {}
