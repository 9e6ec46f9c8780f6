/** What the client and the {@code dshm} command share. No part of the API: it may change with any version. */
@NullMarked
package io.dshm.client.internal;

import org.jspecify.annotations.NullMarked;
