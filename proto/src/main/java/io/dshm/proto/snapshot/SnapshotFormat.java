package io.dshm.proto.snapshot;

/**
 * The file around a snapshot's frames, see {@code snapshot.proto} for what is in them.
 *
 * <pre>
 *   8 bytes   "DSHMSNAP"
 *   then frames, each:
 *   4 bytes   length n of the frame, big-endian
 *   4 bytes   CRC-32C of the frame
 *   n bytes   one SnapshotFrame
 * </pre>
 *
 * <p>A file begins with a header frame and ends with a footer frame, which says how many entries it holds and whether
 * it is the last file. A snapshot is the files {@code state-00000.dshm}, {@code state-00001.dshm} and so on; each can
 * be verified by itself.
 */
public final class SnapshotFormat {

    /** How many bytes a file begins with that say what it is. */
    public static final int MAGIC_BYTES = 8;

    /** The length and the checksum before a frame. */
    static final int FRAME_HEAD_BYTES = 2 * Integer.BYTES;

    /** What a footer frame takes at most, its head included. */
    public static final int FOOTER_BYTES_MAX = 64;

    private static final byte[] MAGIC = {'D', 'S', 'H', 'M', 'S', 'N', 'A', 'P'};

    private SnapshotFormat() {}

    /** The bytes that a file begins with. */
    public static byte[] magic() {
        return MAGIC.clone();
    }

    /** The name of a snapshot's file number {@code part}. */
    public static String fileName(int part) {
        return String.format("state-%05d.dshm", part);
    }
}
