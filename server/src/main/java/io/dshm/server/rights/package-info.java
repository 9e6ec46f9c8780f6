/**
 * Who may do what: users, their secrets and their rights, as the log says. Immutable values; they know the messages
 * only.
 */
@NullMarked
package io.dshm.server.rights;

import org.jspecify.annotations.NullMarked;
