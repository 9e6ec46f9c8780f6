/**
 * Raft over Bolt, SOFAJRaft's own transport, as nodes of format 1 speak it, with what has to be kept in check around
 * it: the address it listens on, the length of frames, the requests that wait, silent machines, and a serializer that
 * makes objects of any class. To be deleted as a whole when no cluster is upgraded from format 1 any more; then the
 * dependency on Bolt is only the library's own.
 */
@NullMarked
package io.dshm.server.replication.jraft.bolt;

import org.jspecify.annotations.NullMarked;
