package io.dshm.proto.snapshot;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Reads one part of a snapshot: every frame by its checksum, and the number of its entries by its footer. */
public final class SnapshotPart {

    private static final StrictParser<SnapshotFrame> PARSER = new StrictParser<>(SnapshotFrame.parser());

    /**
     * Takes what is in a part, piece by piece, before the whole is known to be good. An
     * {@link IllegalArgumentException}, {@link IllegalStateException} or {@link ArithmeticException} means that it
     * cannot be.
     */
    public interface Visitor {

        /** Comes first. */
        default void header(SnapshotHeader header) throws IOException {}

        /** An entry of the store. */
        void entry(SnapshotEntry entry) throws IOException;

        /**
         * An entry with a plain value, which most are: the same as {@link #entry}, without the message.
         *
         * @param expiresAtMillis an instant of the cluster clock, or 0
         */
        default void plainEntry(byte[] key, long expiresAtMillis, long version, byte[] value) throws IOException {
            entry(SnapshotEntry.newBuilder()
                    .setKey(UnsafeByteOperations.unsafeWrap(key))
                    .setExpiresAtMillis(expiresAtMillis)
                    .setVersion(version)
                    .setValue(UnsafeByteOperations.unsafeWrap(value))
                    .build());
        }

        /** A node's registration, or more of it. */
        default void node(SnapshotNode node) throws IOException {}

        /** A client with an identity of its own. */
        default void client(SnapshotClient client) throws IOException {}

        /** The users. */
        default void users(SnapshotUsers users) throws IOException {}

        /** A region's limit. */
        default void region(SnapshotRegion region) throws IOException {}

        /** A value on its way. */
        default void upload(SnapshotUpload upload) throws IOException {}

        /** Comes last, when the number of entries has been found to be right. */
        default void footer(SnapshotFooter footer) throws IOException {}
    }

    private final DataInputStream in;
    private final int part;
    private final Visitor visitor;
    private @Nullable SnapshotHeader header;
    private long entryCount;

    /**
     * A part that has not been read yet.
     *
     * @param in begins with the part, and may go on after it; it is not closed
     * @param part its number, from 0
     */
    public SnapshotPart(InputStream in, int part, Visitor visitor) {
        this.in = new DataInputStream(in);
        this.part = part;
        this.visitor = visitor;
    }

    /**
     * Reads to the part's end, and no further. To be called once.
     *
     * @throws SnapshotException if the part is damaged, not whole or of another format; the message goes on from the
     *     name of the file
     * @throws IOException if it cannot be read, or from the visitor
     */
    public SnapshotFooter read() throws IOException {
        try {
            if (!Arrays.equals(in.readNBytes(SnapshotFormat.MAGIC_BYTES), SnapshotFormat.magic())) {
                throw new SnapshotException("is no snapshot file");
            }
            while (true) {
                byte[] bytes = readFrame();
                SnapshotFrame frame = EntriesFrame.isOne(bytes) ? null : decode(bytes);
                if (frame != null && frame.getFrameCase() == SnapshotFrame.FrameCase.FOOTER) {
                    return finish(frame.getFooter());
                }
                try {
                    if (frame == null) {
                        header();
                        entryCount += new EntriesFrame(bytes).read(visitor);
                    } else {
                        accept(frame);
                    }
                } catch (StrictParser.UnknownFieldException e) {
                    throw newer(e);
                } catch (InvalidProtocolBufferException e) {
                    throw undecodable(e);
                } catch (IllegalArgumentException | IllegalStateException | ArithmeticException e) {
                    throw new SnapshotException("has a frame that says what cannot be", e);
                }
            }
        } catch (EOFException e) {
            throw new SnapshotException("ends before its footer", e);
        }
    }

    /** The header, once it was read. */
    public SnapshotHeader header() throws SnapshotException {
        if (header == null) {
            throw new SnapshotException("does not begin with a header");
        }
        return header;
    }

    private byte[] readFrame() throws IOException {
        int length = in.readInt();
        int expected = in.readInt();
        if (length < 0 || length > Limits.SNAPSHOT_FRAME_BYTES_MAX) {
            throw new SnapshotException("has a frame of " + length + " bytes");
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        if (checksum(bytes, 0, length) != expected) {
            throw new SnapshotException("has a frame with a wrong checksum");
        }
        return bytes;
    }

    private static int checksum(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }

    private static SnapshotFrame decode(byte[] bytes) throws SnapshotException {
        try {
            SnapshotFrame frame = PARSER.parseLeniently(ByteBuffer.wrap(bytes));
            // A newer header first: what else this version does not know follows from it.
            int format = frame.getHeader().getFormatVersion();
            if (format > Formats.NEWEST) {
                throw new SnapshotException("is of format " + format, true);
            }
            PARSER.requireKnown(frame, ByteBuffer.wrap(bytes));
            return frame;
        } catch (StrictParser.UnknownFieldException e) {
            throw newer(e);
        } catch (InvalidProtocolBufferException e) {
            throw undecodable(e);
        }
    }

    private static SnapshotException newer(StrictParser.UnknownFieldException cause) {
        return new SnapshotException("was written by a newer version: " + cause.getMessage(), true);
    }

    private static SnapshotException undecodable(InvalidProtocolBufferException cause) {
        return new SnapshotException("has a frame that cannot be decoded", cause);
    }

    /**
     * The footer at the end of a part, for who wants to know beforehand how many entries there are.
     *
     * @param end the part's last bytes, {@link SnapshotFormat#FOOTER_BYTES_MAX} of them or more
     * @return null if there is none; {@link #read} tells what is wrong
     */
    public static @Nullable SnapshotFooter footerAt(byte[] end) {
        ByteBuffer bytes = ByteBuffer.wrap(end);
        for (int start = end.length - SnapshotFormat.FRAME_HEAD_BYTES; start >= 0; start--) {
            int from = start + SnapshotFormat.FRAME_HEAD_BYTES;
            int length = end.length - from;
            if (bytes.getInt(start) == length && bytes.getInt(start + Integer.BYTES) == checksum(end, from, length)) {
                try {
                    SnapshotFrame frame = SnapshotFrame.parseFrom(bytes.slice(from, length));
                    return frame.hasFooter() ? frame.getFooter() : null;
                } catch (InvalidProtocolBufferException e) {
                    return null;
                }
            }
        }
        return null;
    }

    private void accept(SnapshotFrame frame) throws IOException {
        switch (frame.getFrameCase()) {
            case HEADER -> {
                SnapshotHeader found = frame.getHeader();
                if (found.getFormatVersion() < Formats.FIRST) {
                    throw new SnapshotException("is of format " + found.getFormatVersion());
                }
                if (found.getPart() != part) {
                    throw new SnapshotException("is part " + found.getPart());
                }
                header = found;
                visitor.header(found);
            }
            case NODE -> visitor.node(frame.getNode());
            case CLIENT -> visitor.client(frame.getClient());
            case REGION -> visitor.region(frame.getRegion());
            case USERS -> visitor.users(frame.getUsers());
            case UPLOAD -> visitor.upload(frame.getUpload());
            // Those of entries are not decoded as a whole: see EntriesFrame.
            case ENTRIES, FOOTER, FRAME_NOT_SET -> throw new SnapshotException("has a frame of an unknown kind");
        }
    }

    private SnapshotFooter finish(SnapshotFooter footer) throws IOException {
        header();
        if (footer.getEntryCount() != entryCount) {
            throw new SnapshotException(
                    "holds " + entryCount + " entries, not the " + footer.getEntryCount() + " written");
        }
        visitor.footer(footer);
        return footer;
    }
}
