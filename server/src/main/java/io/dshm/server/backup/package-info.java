/** Backups of this node's state: written to whoever asks for one, and to a folder in regular intervals. */
@NullMarked
package io.dshm.server.backup;

import org.jspecify.annotations.NullMarked;
