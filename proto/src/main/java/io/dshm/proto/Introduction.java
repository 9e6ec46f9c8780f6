package io.dshm.proto;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The write by which a client makes its identity known before it uses it. Otherwise a repeat of its first write would
 * be refused as one of a stranger, if the first copy was lost with a node.
 */
public final class Introduction {

    private static final byte[] NAME = "dshm-client".getBytes(StandardCharsets.US_ASCII);

    private Introduction() {}

    /**
     * A write that changes nothing, as number 1 of that client.
     *
     * @param first the write that comes after it
     * @param inItsRegion whether it is to be one that everybody may do who may do that one. Servers of format 1 do not
     *     know it, and have no users.
     */
    public static Command.Identified of(long client, Command.Write first, boolean inItsRegion) {
        Command.Write nothing = inItsRegion
                ? new Command.Release(key(regionOf(first), NAME), Key.of(NAME))
                : new Command.Touch(key(NAME, Long.toString(client).getBytes(StandardCharsets.US_ASCII)), 0);
        return new Command.Identified(client, 1, 1, false, nothing);
    }

    private static byte[] regionOf(Command.Write write) {
        if (write instanceof Command.FlushAll flush) {
            return flush.region();
        }
        Key key = write instanceof Command.KeyWrite one
                ? one.key()
                : write instanceof Command.TakeAll all
                        ? all.takes().get(0).key()
                        : ((Command.Multi) write).writes().get(0).key();
        return Arrays.copyOf(key.bytes(), key.regionBytes());
    }

    private static Key key(byte[] region, byte[] name) {
        byte[] all = Arrays.copyOf(region, region.length + 2 + name.length);
        all[region.length] = ':';
        all[region.length + 1] = ':';
        System.arraycopy(name, 0, all, region.length + 2, name.length);
        return Key.of(all);
    }
}
