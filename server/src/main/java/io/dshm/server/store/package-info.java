/**
 * The data of one node, as a structure in memory: entries with deadlines and versions, typed values, rate limiters,
 * regions. It does no I/O, and has no clock, no thread and no idea of Raft.
 *
 * <p>{@link io.dshm.server.store.Store} is the main class: one table for all keys. An entry is kept as a record among
 * others in an array of bytes, and becomes an {@link io.dshm.server.store.Entry} when it is asked for. Only the apply
 * thread writes to it; all event loops read it, without locks. The caller supplies what is not in here: the cluster
 * clock as a number, versions for what it writes, and the times at which dead entries are purged. So the same calls
 * lead to the same content on every node, at any speed.
 *
 * <p>Four things must never take long, because the log waits for the writer:
 *
 * <ul>
 *   <li>Growing. The table is cut into segments that are made anew one by one ({@code Table}, {@code Segment}).
 *   <li>Flushing a region. Nothing is deleted: a mark hides what is older, and a sweep purges it later
 *       ({@code FlushMarks}).
 *   <li>Purging. Sweeps come in small steps, by the clock and by the number of writes.
 *   <li>A snapshot. A {@link io.dshm.server.store.View} shows one moment's entries to another thread; the writer saves
 *       for it what it overwrites meanwhile.
 * </ul>
 *
 * <p>Each node purges at its own pace. So an entry that is {@linkplain
 * io.dshm.server.store.Entry#isGoneAt gone} or flushed may still be there on one node and not on another. One that is
 * expired and not yet gone, as a typed one is for a minute, is there on all of them.
 * {@link io.dshm.server.store.Store#get} hides the flushed ones, but returns the expired ones: only the caller knows by
 * which clock they count. Counters include all.
 *
 * <p>Invariants: an entry, and what is in it, never change. Nobody changes the bytes of a large value once the
 * store has them. A hash is only used to find the key; it decides no result, since it differs between processes.
 */
@NullMarked
package io.dshm.server.store;

import org.jspecify.annotations.NullMarked;
