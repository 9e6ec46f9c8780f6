package io.dshm.client;

import io.dshm.proto.ReadMode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How calls are made.
 *
 * @param deadline how long each may take
 * @param readMode of reads; null for that of the node
 * @param hedgeNanos after which a read is sent to another node as well; 0 for never
 */
record CallOptions(Duration deadline, @Nullable ReadMode readMode, long hedgeNanos) {}
