package io.dshm.server.store;

import java.util.List;

/**
 * A large value as the log has brought it: in pieces, so that nothing large is copied while the log is applied. The
 * first who reads it, on another thread, puts them together.
 */
public final class Pieces {

    private final int length;

    /** A {@code byte[][]}, and once somebody has read it a {@code byte[]}. */
    private volatile Object content;

    /**
     * A value that is the pieces one after the other.
     *
     * @param pieces not copied: nobody may change them afterwards
     * @param length of all of them; of the last one, what is beyond that does not count
     */
    public Pieces(List<byte[]> pieces, int length) {
        this.length = length;
        this.content = pieces.toArray(new byte[0][]);
    }

    /** Bytes of the value. */
    public int length() {
        return length;
    }

    /** The value itself, not a copy: not to be changed. Any thread. */
    public byte[] joined() {
        return content instanceof byte[] whole ? whole : join();
    }

    /** One thread at a time, so that there is one large array. */
    private synchronized byte[] join() {
        if (content instanceof byte[] whole) {
            return whole;
        }
        byte[] whole = new byte[length];
        int at = 0;
        for (byte[] piece : (byte[][]) content) {
            int bytes = Math.min(piece.length, length - at);
            System.arraycopy(piece, 0, whole, at, bytes);
            at += bytes;
        }
        content = whole;
        return whole;
    }
}
