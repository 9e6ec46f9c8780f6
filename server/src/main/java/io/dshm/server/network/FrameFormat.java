package io.dshm.server.network;

/** How long a frame is, told by its first bytes. Stateless. */
public interface FrameFormat {

    /** Bytes of the longest header there is. */
    int headerBytesMax();

    /**
     * Bytes of this header; more than {@code received} as long as that is not all of it.
     *
     * @param header its first {@code received} bytes, at least one
     * @throws IllegalArgumentException if no frame begins like this
     */
    int headerBytes(byte[] header, int received);

    /**
     * Bytes of what follows this complete header.
     *
     * @throws IllegalArgumentException if no frame has such a header
     */
    long bodyBytes(byte[] header);
}
