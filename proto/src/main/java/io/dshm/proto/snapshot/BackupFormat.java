package io.dshm.proto.snapshot;

import io.airlift.compress.zstd.ZstdCompressor;

/**
 * A backup: one file, or one stream, with a whole snapshot.
 *
 * <pre>
 *   8 bytes   "DSHMBACK"
 *   4 bytes   format of the file, big-endian: 1
 *   then blocks, each:
 *   1 byte    kind: 1 = head, 2 = data, 3 = foot
 *   4 bytes   length n, big-endian
 *   n bytes   a BackupHead or BackupFoot (backup.proto), or a zstd frame
 *   4 bytes   CRC-32C of all bytes of the file before these four
 * </pre>
 *
 * <p>The head is the first block, the foot the last one, and nothing follows it. The data, decompressed and put
 * together, are the snapshot's files ({@link SnapshotFormat}), one after the other. As each checksum covers all that is
 * before it, no byte can change, and no block can be missing, come twice or come from another file, without the next
 * checksum being wrong.
 */
final class BackupFormat {

    static final byte[] MAGIC = {'D', 'S', 'H', 'M', 'B', 'A', 'C', 'K'};

    /** The format that this version writes, and the only one that it reads. */
    static final int FORMAT = 1;

    static final int HEAD = 1;
    static final int DATA = 2;
    static final int FOOT = 3;

    /** Bytes of a block beside what it holds. */
    static final int BLOCK_FRAME_BYTES = 1 + 2 * Integer.BYTES;

    /** What a block can hold at most: data that cannot be compressed take a little more room. */
    static final int BLOCK_BYTES_MAX = new ZstdCompressor().maxCompressedLength(BackupWriter.DATA_BYTES_MAX);

    private BackupFormat() {}
}
