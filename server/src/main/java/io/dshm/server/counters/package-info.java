/**
 * Counters for paths where nothing may wait and nothing be allocated: each is written by one thread, and read by any.
 * Knows nothing of who shows them.
 */
@NullMarked
package io.dshm.server.counters;

import org.jspecify.annotations.NullMarked;
