/** Any bytes for all that parses them. */
@NullMarked
package io.dshm.server.fuzz;

import org.jspecify.annotations.NullMarked;
