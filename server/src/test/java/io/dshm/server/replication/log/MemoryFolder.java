package io.dshm.server.replication.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A folder whose power can be taken away: it knows what is on the disk, and what is in the page cache only. A sector is written as a whole
 * or not at all, in any order; names change in their order.
 */
final class MemoryFolder implements LogFolder {

    private static final int SECTOR_BYTES = 512;

    /** What a disk may do wrong, or a log forget. */
    enum Bug {
        FILES_ARE_NOT_SYNCED,
        NAMES_ARE_NOT_SYNCED
    }

    /** The machine has lost its power. */
    static final class PowerLost extends IOException {
        private static final long serialVersionUID = 1;
    }

    private static final class Content {
        private byte[] durable = new byte[0];
        private byte[] cached = new byte[0];
        private final Set<Integer> dirty = new TreeSet<>();
    }

    private final Set<Bug> bugs = EnumSet.noneOf(Bug.class);
    private Map<String, Content> durableNames = new TreeMap<>();
    private final List<Map<String, Content>> laterNames = new ArrayList<>();
    private long roomBytes = Long.MAX_VALUE;
    private int operationsLeft = Integer.MAX_VALUE;

    /** Every folder after this one has these bugs, too. */
    MemoryFolder with(Bug bug) {
        bugs.add(bug);
        return this;
    }

    /** The power goes before the n-th operation from now on that changes anything. */
    void failAfter(int operations) {
        operationsLeft = operations;
    }

    /** So many bytes are free. */
    void setRoom(long bytes) {
        roomBytes = bytes;
    }

    /** Changes a byte of a file, on the disk. */
    void change(String name, int offset) {
        Content content = contentOf(name);
        content.cached[offset] ^= 1;
        content.durable = content.cached.clone();
    }

    /** A folder with these files, all on the disk. */
    static MemoryFolder of(Map<String, byte[]> files) {
        MemoryFolder folder = new MemoryFolder();
        files.forEach((name, bytes) -> {
            Content content = new Content();
            content.durable = bytes.clone();
            content.cached = bytes.clone();
            folder.durableNames.put(name, content);
        });
        return folder;
    }

    Map<String, byte[]> files() {
        Map<String, byte[]> files = new TreeMap<>();
        present().forEach((name, content) -> files.put(name, content.cached.clone()));
        return files;
    }

    /** What is on the disk after the power was lost: all that is certain, and any part of the rest. */
    MemoryFolder afterPowerCut(Random random) {
        MemoryFolder after = new MemoryFolder();
        after.bugs.addAll(bugs);
        int kept = random.nextInt(laterNames.size() + 1);
        Map<String, Content> names = kept == 0 ? durableNames : laterNames.get(kept - 1);
        names.forEach((name, content) -> after.durableNames.put(name, afterPowerCut(content, random)));
        return after;
    }

    private static Content afterPowerCut(Content content, Random random) {
        Content left = new Content();
        int share = random.nextInt(4);
        // The size is on the disk when a sector is that makes it so large, or by chance.
        int size = random.nextBoolean() ? content.cached.length : content.durable.length;
        byte[] bytes = Arrays.copyOf(content.durable, Math.max(size, content.durable.length));
        for (int sector : content.dirty) {
            boolean survives = share == 3 || (share > 0 && random.nextInt(3) < share);
            if (survives) {
                int from = sector * SECTOR_BYTES;
                int to = Math.min(from + SECTOR_BYTES, content.cached.length);
                if (to > bytes.length) {
                    bytes = Arrays.copyOf(bytes, to);
                }
                System.arraycopy(content.cached, from, bytes, from, to - from);
            }
        }
        left.durable = bytes;
        left.cached = bytes.clone();
        return left;
    }

    private Content contentOf(String name) {
        return Objects.requireNonNull(present().get(name), name);
    }

    private Map<String, Content> present() {
        return laterNames.isEmpty() ? durableNames : laterNames.get(laterNames.size() - 1);
    }

    private Map<String, Content> changeNames() throws IOException {
        operation();
        Map<String, Content> changed = new TreeMap<>(present());
        laterNames.add(changed);
        return changed;
    }

    private void operation() throws IOException {
        if (operationsLeft-- <= 0) {
            operationsLeft = 0;
            throw new PowerLost();
        }
    }

    @Override
    public List<String> names() {
        return List.copyOf(present().keySet());
    }

    @Override
    public LogFile open(String name, boolean writes) throws IOException {
        if (!present().containsKey(name)) {
            if (!writes) {
                throw new IOException(name + " is missing");
            }
            changeNames().put(name, new Content());
        }
        return new MemoryFile(contentOf(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        if (present().containsKey(to)) {
            throw new IOException(to + " is there");
        }
        Map<String, Content> changed = changeNames();
        changed.put(to, changed.remove(from));
    }

    @Override
    public void delete(String name) throws IOException {
        changeNames().remove(name);
    }

    @Override
    public void sync() throws IOException {
        operation();
        if (!bugs.contains(Bug.NAMES_ARE_NOT_SYNCED)) {
            durableNames = present();
            laterNames.clear();
        }
    }

    @Override
    public String pathOf(String name) {
        return "/log/" + name;
    }

    private final class MemoryFile implements LogFile {

        private final Content content;

        MemoryFile(Content content) {
            this.content = content;
        }

        @Override
        public long size() {
            return content.cached.length;
        }

        @Override
        public void write(ByteBuffer bytes, long offset) throws IOException {
            operation();
            int from = (int) offset;
            int to = from + bytes.remaining();
            byte[] written = new byte[bytes.remaining()];
            bytes.get(written);
            if (to > content.cached.length) {
                roomBytes -= to - content.cached.length;
                if (roomBytes < 0) {
                    throw new IOException("No space left on device");
                }
                content.cached = Arrays.copyOf(content.cached, to);
            }
            System.arraycopy(written, 0, content.cached, from, written.length);
            for (int sector = from / SECTOR_BYTES; sector * SECTOR_BYTES < to; sector++) {
                content.dirty.add(sector);
            }
        }

        @Override
        public int read(ByteBuffer into, long offset) {
            int bytes = (int) Math.max(0, Math.min(into.remaining(), content.cached.length - offset));
            if (bytes > 0) {
                into.put(content.cached, (int) offset, bytes);
            }
            return bytes;
        }

        @Override
        public void sync() throws IOException {
            operation();
            if (!bugs.contains(Bug.FILES_ARE_NOT_SYNCED)) {
                content.durable = content.cached.clone();
                content.dirty.clear();
            }
        }

        @Override
        public void close() {
            // There is nothing to be closed.
        }
    }
}
