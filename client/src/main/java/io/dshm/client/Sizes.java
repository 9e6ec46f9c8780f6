package io.dshm.client;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;

/** What kinds of commands there are, and what they take while they wait. */
final class Sizes {

    private Sizes() {}

    /** Bytes that a command counts for while it is outstanding: about what it takes in memory. */
    static int of(Command command) {
        int data = 0;
        if (command instanceof Command.Multi multi) {
            data = multi.writes().size() * Limits.CLIENT_CALL_BYTES;
            for (Command.KeyWrite write : multi.writes()) {
                data += write.dataBytes();
            }
        } else if (command instanceof Command.Write write) {
            data = write.dataBytes();
        } else if (command instanceof Command.MultiRead multi) {
            data = multi.reads().size() * Limits.CLIENT_CALL_BYTES;
        }
        return data + Limits.CLIENT_CALL_BYTES;
    }

    /** Whether a node answers this from its memory, at once. */
    static boolean isFastRead(Command command) {
        return (command instanceof Command.KeyRead key && key.mode() != ReadMode.LINEARIZABLE)
                || (command instanceof Command.MultiRead multi && multi.mode() != ReadMode.LINEARIZABLE)
                || command == Command.Ping.PING
                || command == Command.Info.INFO;
    }
}
