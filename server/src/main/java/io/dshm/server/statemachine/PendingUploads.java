package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.ValueChunk;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Large values on their way: the pieces that the log has brought so far, until one command publishes them.
 *
 * <p>An upload that stands still for {@value #ABANDONED_MILLIS} ms of the cluster clock is dropped, so that the pieces
 * of a node that died do not stay for ever. Memory is allocated as pieces arrive, not for the announced length. Confined to the thread that applies.
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

        /** Of this the first {@link #received} bytes are there. They never change: a snapshot may be reading them. */
        byte[] value = {};

        int received;
        long touchedMillis;

        Upload(int length) {
            this.length = length;
        }

        /** Takes the next piece, which fits. Never allocates more than twice what was received. */
        void append(ByteString data) {
            int needed = received + data.size();
            if (needed > value.length) {
                value = Arrays.copyOf(value, (int) Math.min(length, 2L * needed));
            }
            data.copyTo(value, received);
            received = needed;
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
     * Adds a piece; false if it does not continue what is there, or if there is no room, so that its sender has to begin anew.
     *
     * @param bounded whether an origin's oldest upload gives way to one beyond {@link Limits#ORIGIN_UPLOADS_MAX}, and all
     *     of them together have {@link Limits#UPLOADS_BYTES_MAX}
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

    /** The whole value, which leaves this table, or null if pieces are missing. */
    byte @Nullable [] complete(long origin, long uploadNumber, int length) {
        Upload upload = uploads.remove(new Id(origin, uploadNumber));
        return upload != null && upload.received == length && upload.length == length ? upload.value : null;
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
                        .setValue(UnsafeByteOperations.unsafeWrap(e.getValue().value, 0, e.getValue().received))
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
