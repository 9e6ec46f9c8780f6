package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.ValueChunk;
import io.dshm.server.store.Pieces;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Large values on their way: the pieces that the log has brought so far, until one command publishes them.
 *
 * <p>An upload that stands still for {@value #ABANDONED_MILLIS} ms of the cluster clock is dropped, so that the pieces
 * of a node that died do not stay for ever. Memory is allocated as pieces arrive, not for the announced length, and no
 * more than a piece is copied at once. Confined to the thread that applies.
 */
final class PendingUploads {

    private static final long ABANDONED_MILLIS = 60_000;

    private record Id(long origin, long upload) implements Comparable<Id> {
        @Override
        public int compareTo(Id that) {
            int byOrigin = Long.compareUnsigned(origin, that.origin);
            return byOrigin != 0 ? byOrigin : Long.compareUnsigned(upload, that.upload);
        }
    }

    private static final class Upload {
        final int length;

        /**
         * Of all these together the first {@link #received} bytes are there. They never change: a snapshot may be
         * reading them. All but the last have {@link Limits#CHUNK_BYTES}.
         */
        final List<byte[]> pieces = new ArrayList<>(0);

        int received;
        long touchedMillis;

        Upload(int length) {
            this.length = length;
        }

        /** Takes the next data, which fits. Never allocates more than twice what was received. */
        void append(ByteString data) {
            for (int from = 0; from < data.size(); ) {
                int at = received % Limits.CHUNK_BYTES;
                int bytes = Math.min(data.size() - from, Limits.CHUNK_BYTES - at);
                data.substring(from, from + bytes).copyTo(lastPiece(at, bytes), at);
                from += bytes;
                received += bytes;
            }
        }

        /** The last piece, which is filled up to there, with room for more bytes: another one if it is full. */
        private byte[] lastPiece(int at, int bytes) {
            int lengthMax = Math.min(Limits.CHUNK_BYTES, length - (received - at));
            if (at == 0) {
                pieces.add(new byte[Math.min(lengthMax, 2 * bytes)]);
            }
            int last = pieces.size() - 1;
            byte[] piece = pieces.get(last);
            if (piece.length < at + bytes) {
                piece = Arrays.copyOf(piece, Math.min(lengthMax, 2 * (at + bytes)));
                pieces.set(last, piece);
            }
            return piece;
        }

        /** What is there, not copied. */
        ByteString value() {
            List<ByteString> parts = new ArrayList<>(pieces.size());
            for (int i = 0; i < pieces.size(); i++) {
                int bytes = Math.min(Limits.CHUNK_BYTES, received - i * Limits.CHUNK_BYTES);
                parts.add(UnsafeByteOperations.unsafeWrap(pieces.get(i), 0, bytes));
            }
            return ByteString.copyFrom(parts);
        }
    }

    /** Sorted, so that a snapshot's bytes do not depend on a hash map's order. */
    private final TreeMap<Id, Upload> uploads = new TreeMap<>();

    boolean isEmpty() {
        return uploads.isEmpty();
    }

    /** What these values take when all their pieces are there, in bytes. */
    long bytes() {
        return uploads.isEmpty()
                ? 0
                : uploads.values().stream().mapToLong(upload -> upload.length).sum();
    }

    /**
     * Adds a piece; false if it does not continue what is there, or if there is no room, so that its sender has to
     * begin anew.
     *
     * @param bounded whether an origin's oldest upload gives way to one beyond {@link Limits#ORIGIN_UPLOADS_MAX}, and
     *     all of them together have {@link Limits#UPLOADS_BYTES_MAX}
     */
    boolean add(long origin, ValueChunk chunk, boolean bounded, long clockMillis) {
        Id id = new Id(origin, chunk.getUpload());
        Upload upload = uploads.get(id);
        if (upload == null) {
            if (chunk.getValueLength() <= 0 || chunk.getValueLength() > Limits.VALUE_BYTES_MAX) {
                throw new IllegalStateException("a value of " + chunk.getValueLength() + " bytes");
            }
            if (chunk.getOffset() != 0) {
                return false;
            }
            upload = new Upload(chunk.getValueLength());
            if (bounded) {
                makeRoom(origin);
            }
            uploads.put(id, upload);
        }
        ByteString data = chunk.getData();
        boolean fits = data.size() <= upload.length - upload.received
                && !(bounded && receivedBytes() + data.size() > Limits.UPLOADS_BYTES_MAX);
        if (chunk.getOffset() != upload.received || !fits) {
            uploads.remove(id);
            return false;
        }
        upload.append(data);
        upload.touchedMillis = clockMillis;
        return true;
    }

    /** A node sends one value after the other: what it has begun before is not going on. */
    private void makeRoom(long origin) {
        var own = uploads.subMap(new Id(origin, 0), true, new Id(origin, -1), true);
        while (own.size() >= Limits.ORIGIN_UPLOADS_MAX) {
            own.pollFirstEntry();
        }
    }

    private long receivedBytes() {
        return uploads.values().stream().mapToLong(upload -> upload.received).sum();
    }

    /**
     * The whole value, which leaves this table: a {@code byte[]}, or {@link Pieces} if it is longer than {@link
     * Limits#INLINE_VALUE_BYTES_MAX}. Null if pieces are missing.
     */
    @Nullable
    Object complete(long origin, long uploadNumber, int length) {
        Upload upload = uploads.remove(new Id(origin, uploadNumber));
        if (upload == null || upload.received != length || upload.length != length) {
            return null;
        }
        Pieces value = new Pieces(upload.pieces, length);
        return length > Limits.INLINE_VALUE_BYTES_MAX ? value : value.joined();
    }

    /** Drops an upload that is not needed, if it is there. */
    void forget(long origin, long uploadNumber) {
        uploads.remove(new Id(origin, uploadNumber));
    }

    /** Drops uploads that got no piece for too long. Called for every log entry; costs nothing without uploads. */
    void expire(long clockMillis) {
        if (!uploads.isEmpty()) {
            uploads.values().removeIf(upload -> clockMillis - upload.touchedMillis > ABANDONED_MILLIS);
        }
    }

    /** Drops the uploads of origins that have ended. */
    void drop(Collection<Long> origins) {
        if (!uploads.isEmpty()) {
            uploads.keySet().removeIf(id -> origins.contains(id.origin));
        }
    }

    /** All of it, for a snapshot. Received bytes are never written again, so they are shared, not copied. */
    List<SnapshotUpload> toWire() {
        return uploads.entrySet().stream()
                .map(e -> SnapshotUpload.newBuilder()
                        .setOrigin(e.getKey().origin)
                        .setUpload(e.getKey().upload)
                        .setTouchedMillis(e.getValue().touchedMillis)
                        .setValueLength(e.getValue().length)
                        .setValue(e.getValue().value())
                        .build())
                .toList();
    }

    /** Takes one upload out of a snapshot. */
    void load(SnapshotUpload wire) {
        Upload upload = new Upload(wire.getValueLength());
        upload.append(wire.getValue());
        upload.touchedMillis = wire.getTouchedMillis();
        uploads.put(new Id(wire.getOrigin(), wire.getUpload()), upload);
    }
}
