/**
 * What keeps one failure from taking others with it: callbacks and periodic work that throw are said in the log and go no
 * further, and an error of the virtual machine ends the process. Knows the JDK and the log only.
 */
@NullMarked
package io.dshm.server.guard;

import org.jspecify.annotations.NullMarked;
