/**
 * Keeps one failure from causing others: exceptions of callbacks and periodic work are logged and not passed on, and an
 * error of the virtual machine ends the process. Knows the JDK and the log only.
 */
@NullMarked
package io.dshm.server.guard;

import org.jspecify.annotations.NullMarked;
