package io.dshm.server.statemachine;

import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.Element;
import io.dshm.proto.wire.LimiterState;
import io.dshm.proto.wire.ListState;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFooter;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.TypedState;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Limiter;
import io.dshm.server.store.ListValue;
import io.dshm.server.store.Store;
import io.dshm.server.store.Typed;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Reads and verifies a snapshot's files: every frame by its checksum, every file by its footer. */
public final class SnapshotReader {

    private static final StrictParser<SnapshotFrame> PARSER = new StrictParser<>(SnapshotFrame.parser());

    /** What is in a snapshot, piece by piece, before the whole is known to be good. */
    interface Target {
        void entry(byte[] key, Entry entry);

        void node(SnapshotNode node);

        void client(SnapshotClient client);

        void upload(SnapshotUpload upload);
    }

    private final Path folder;

    /** A reader of the snapshot in this folder. */
    public SnapshotReader(Path folder) {
        this.folder = folder;
    }

    /**
     * Reads everything.
     *
     * @return the first file's header
     * @throws IOException if a file cannot be read
     * @throws CorruptStateException if one is damaged, missing or not whole; its message names the file
     */
    SnapshotHeader read(Target target) throws IOException {
        SnapshotHeader first = null;
        for (int part = 0; ; part++) {
            PartReader reader = new PartReader(folder.resolve(SnapshotFormat.fileName(part)), part, target);
            boolean last = reader.read();
            SnapshotHeader header = reader.header();
            if (first == null) {
                first = header;
            } else if (header.getIndex() != first.getIndex()) {
                throw new CorruptStateException(
                        reader.path + " belongs to index " + header.getIndex() + ", not " + first.getIndex());
            }
            if (last) {
                return first;
            }
        }
    }

    private static final class PartReader {

        final Path path;
        private final int part;
        private final Target target;
        private @Nullable SnapshotHeader header;
        private long entryCount;
        private long digest;

        PartReader(Path path, int part, Target target) {
            this.path = path;
            this.part = part;
            this.target = target;
        }

        SnapshotHeader header() {
            if (header == null) {
                throw damaged("does not begin with a header", null);
            }
            return header;
        }

        /** Reads the file; whether it is the last one. */
        boolean read() throws IOException {
            if (!Files.exists(path)) {
                throw damaged("is missing", null);
            }
            try (DataInputStream in =
                    new DataInputStream(new BufferedInputStream(Files.newInputStream(path), 1 << 16))) {
                if (!Arrays.equals(in.readNBytes(SnapshotFormat.MAGIC.length), SnapshotFormat.MAGIC)) {
                    throw damaged("is no snapshot file", null);
                }
                while (true) {
                    SnapshotFrame frame = readFrame(in);
                    if (frame.getFrameCase() == SnapshotFrame.FrameCase.FOOTER) {
                        return finish(frame.getFooter(), in);
                    }
                    try {
                        accept(frame);
                    } catch (IllegalArgumentException | IllegalStateException | ArithmeticException e) {
                        throw damaged("has a frame that says what cannot be", e);
                    }
                }
            } catch (EOFException e) {
                throw damaged("ends before its footer", e);
            }
        }

        private SnapshotFrame readFrame(DataInputStream in) throws IOException {
            int length = in.readInt();
            int expected = in.readInt();
            if (length < 0 || length > Limits.SNAPSHOT_FRAME_BYTES_MAX) {
                throw damaged("has a frame of " + length + " bytes", null);
            }
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            CRC32C crc = new CRC32C();
            crc.update(bytes);
            if ((int) crc.getValue() != expected) {
                throw damaged("has a frame with a wrong checksum", null);
            }
            try {
                SnapshotFrame frame = PARSER.parseLeniently(ByteBuffer.wrap(bytes));
                // A newer header first: what else this version does not know follows from it.
                requireReadable(frame.getHeader().getFormatVersion());
                PARSER.requireKnown(frame, ByteBuffer.wrap(bytes));
                return frame;
            } catch (StrictParser.UnknownFieldException e) {
                throw new NewerFormatException(
                        "snapshot file " + path + " was written by a newer version: " + e.getMessage());
            } catch (InvalidProtocolBufferException e) {
                throw damaged("has a frame that cannot be decoded", e);
            }
        }

        private void requireReadable(int format) {
            if (format > Formats.NEWEST) {
                throw new NewerFormatException("snapshot file " + path + " is of format " + format);
            }
        }

        private void accept(SnapshotFrame frame) {
            switch (frame.getFrameCase()) {
                case HEADER -> {
                    header = frame.getHeader();
                    if (header.getFormatVersion() < Formats.FIRST) {
                        throw damaged("is of format " + header.getFormatVersion(), null);
                    }
                    if (header.getPart() != part) {
                        throw damaged("is part " + header.getPart(), null);
                    }
                }
                case ENTRIES -> {
                    long clockMillis = header().getClockMillis();
                    for (SnapshotEntry wire : frame.getEntries().getEntriesList()) {
                        byte[] key = wire.getKey().toByteArray();
                        Entry entry = fromWire(wire);
                        entryCount++;
                        digest += Store.digestOf(key, entry, clockMillis);
                        target.entry(key, entry);
                    }
                }
                case NODE -> target.node(frame.getNode());
                case CLIENT -> target.client(frame.getClient());
                case UPLOAD -> target.upload(frame.getUpload());
                case FOOTER, FRAME_NOT_SET -> throw damaged("has a frame of an unknown kind", null);
            }
        }

        private Entry fromWire(SnapshotEntry wire) {
            long expiresAt = wire.getExpiresAtMillis() == 0 ? Entry.NEVER : wire.getExpiresAtMillis();
            return switch (wire.getContentCase()) {
                case VALUE -> Entry.of(wire.getValue().toByteArray(), expiresAt, wire.getVersion());
                case LIMITER -> Entry.of(limiter(wire.getLimiter()), expiresAt, wire.getVersion());
                case TYPED -> Entry.of(typed(wire.getTyped()), expiresAt, wire.getVersion());
                case CONTENT_NOT_SET -> throw damaged("has an entry of an unknown kind", null);
            };
        }

        private static Limiter limiter(LimiterState wire) {
            long[] grants = new long[wire.getGrantDeltasMillisCount()];
            long grant = 0;
            for (int i = 0; i < grants.length; i++) {
                grant += wire.getGrantDeltasMillis(i);
                grants[i] = grant;
            }
            return Limiter.restore(
                    Math.toIntExact(wire.getCapacity()),
                    wire.getDurationMillis(),
                    Math.max(wire.getDurationMillis(), wire.getKeepMillis()),
                    grants);
        }

        private Typed typed(TypedState wire) {
            Object value = switch (wire.getValueCase()) {
                case STRING -> wire.getString().toByteArray();
                case NUMBER -> wire.getNumber();
                case BOOLEAN -> wire.getBoolean();
                case LIST -> list(wire.getList());
                case VALUE_NOT_SET -> throw damaged("has a value of an unknown type", null);
            };
            return new Typed(value, wire.getFlags());
        }

        private ListValue list(ListState wire) {
            ListValue list = ListValue.EMPTY;
            for (Element element : wire.getElementsList()) {
                list = switch (element.getElementCase()) {
                    case STRING -> list.push(false, element.getString().toByteArray());
                    case NUMBER -> list.push(false, element.getNumber());
                    case ELEMENT_NOT_SET -> throw damaged("has an element of an unknown type", null);
                };
            }
            return list;
        }

        private boolean finish(SnapshotFooter footer, DataInputStream in) throws IOException {
            if (footer.getEntryCount() != entryCount || footer.getDigest() != digest) {
                throw damaged("holds " + entryCount + " entries, not the " + footer.getEntryCount() + " written", null);
            }
            if (in.read() >= 0) {
                throw damaged("goes on after its footer", null);
            }
            return footer.getLastPart();
        }

        private CorruptStateException damaged(String how, @Nullable Throwable cause) {
            String message = "snapshot file " + path + " " + how;
            return cause == null ? new CorruptStateException(message) : new CorruptStateException(message, cause);
        }
    }
}
