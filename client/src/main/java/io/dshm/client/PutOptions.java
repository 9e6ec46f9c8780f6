package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import java.time.Duration;

/**
 * How a value is stored.
 *
 * @param ttl how long it lives; zero for ever
 * @param condition under which it is stored
 * @param full what is done if there is no room for it
 */
public record PutOptions(Duration ttl, Condition condition, Command.Full full) {

    /** For ever, whatever was there; where there is no room, as the region's limit says. */
    public static final PutOptions DEFAULT = new PutOptions(Duration.ZERO, Condition.ANY, Command.Full.AS_REGION);

    /** The same with this time to live. */
    public PutOptions withTtl(Duration newTtl) {
        return new PutOptions(newTtl, condition, full);
    }

    /** The same under this condition. */
    public PutOptions onlyIf(Condition newCondition) {
        return new PutOptions(ttl, newCondition, full);
    }

    /** The same with this way to deal with a lack of room. */
    public PutOptions whenFull(Command.Full newFull) {
        return new PutOptions(ttl, condition, newFull);
    }
}
