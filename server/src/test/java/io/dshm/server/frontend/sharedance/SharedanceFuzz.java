package io.dshm.server.frontend.sharedance;

import io.dshm.proto.Command;
import io.dshm.server.frontend.MemoryBudget;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/** The Sharedance codec for a fuzzer. */
public final class SharedanceFuzz {

    private static final int VALUE_BYTES_MAX = 20_000;

    private SharedanceFuzz() {}

    /** The same command comes out however the bytes are cut, and nothing of a refused one stays reserved. */
    public static void requests(byte[] data) {
        String whole = decode(data, Math.max(1, data.length));
        String cut = decode(data, 1);
        if (!whole.equals(cut)) {
            throw new IllegalStateException(whole + " or " + cut);
        }
    }

    private static String decode(byte[] data, int piece) {
        MemoryBudget budget = new MemoryBudget(30_000);
        SharedanceDecoder decoder = new SharedanceDecoder(VALUE_BYTES_MAX, 1_000, budget);
        for (int at = 0; at < data.length && !decoder.isRefused(); at += piece) {
            decoder.decode(Unpooled.wrappedBuffer(data, at, Math.min(piece, data.length - at)));
        }
        boolean refused = decoder.isRefused();
        if (refused && budget.bytesReserved() != 0) {
            throw new IllegalStateException("a refused command keeps memory");
        }
        @Nullable Command command = decoder.take();
        return refused + " " + (command == null ? "" : command.getClass().getSimpleName());
    }
}
