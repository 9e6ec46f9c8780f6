package io.dshm.server;

import java.io.IOException;
import java.io.OutputStream;
import java.io.Reader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A node's data folder: whose it is, how often its node has started, and a lock, so that only one process uses it.
 *
 * <p>The file {@code node.properties} is replaced as a whole, and is on the disk before anything that relies on it
 * happens.
 */
final class NodeFolder implements AutoCloseable {

    private static final String FILE = "node.properties";
    private static final String CLUSTER = "cluster";
    private static final String NODE = "node";
    private static final String FOLDER = "folder";
    private static final String STARTS = "starts";
    private static final String JOINING = "joining";

    private final Path path;
    private final FileChannel lockFile;
    private final FileLock lock;
    private final Properties properties = new Properties();

    private NodeFolder(Path path, FileChannel lockFile, FileLock lock) {
        this.path = path;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /**
     * Opens the folder, or makes it, and counts one more start.
     *
     * @throws IOException if it cannot be used; the message says why, for the operator
     */
    static NodeFolder open(Path path, String cluster, String node) throws IOException {
        Files.createDirectories(path);
        FileChannel lockFile =
                FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = lockFile.tryLock();
        if (lock == null) {
            lockFile.close();
            throw new IOException("data-dir: another process uses " + path);
        }
        NodeFolder folder = new NodeFolder(path, lockFile, lock);
        try {
            folder.load(cluster, node);
            return folder;
        } catch (IOException e) {
            folder.close();
            throw e;
        }
    }

    private void load(String cluster, String node) throws IOException {
        Path file = path.resolve(FILE);
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            }
            requireSame(CLUSTER, cluster);
            requireSame(NODE, node);
        } else if (Files.exists(path.resolve("log"))) {
            throw new IOException("data-dir: " + path + " has a log but no " + FILE
                    + "; a node's folder is moved as a whole, or deleted as a whole");
        } else {
            properties.setProperty(CLUSTER, cluster);
            properties.setProperty(NODE, node);
            properties.setProperty(
                    FOLDER, Long.toString(ThreadLocalRandom.current().nextLong()));
            properties.setProperty(STARTS, "0");
        }
        properties.setProperty(STARTS, Long.toString(starts() + 1));
        save();
    }

    private void requireSame(String key, String configured) throws IOException {
        String stored = properties.getProperty(key);
        if (!configured.equals(stored)) {
            throw new IOException("data-dir: " + path + " belongs to " + key + " " + stored + ", not " + configured);
        }
    }

    /** Identifies this folder among those that the node may have had. */
    long id() {
        return Long.parseLong(properties.getProperty(FOLDER));
    }

    /** How often the node has started with this folder, this time included. */
    long starts() {
        return Long.parseLong(properties.getProperty(STARTS));
    }

    /** Whether it is decided if this folder's node founds a cluster or joins one that exists. */
    boolean isDecided() {
        return properties.containsKey(JOINING);
    }

    /** Whether the node has lost its data, or a part of it, and has still to get it back before it may vote. */
    boolean isJoining() {
        return Boolean.parseBoolean(properties.getProperty(JOINING));
    }

    /**
     * Decides. Whatever finds, before Raft starts, that a part of the folder is missing calls this with {@code true}: the node
     * then counts for nothing before it knows the others' terms, and does not vote before it has its data back. It stays
     * so over restarts, until that is done.
     */
    void setJoining(boolean joining) throws IOException {
        properties.setProperty(JOINING, Boolean.toString(joining));
        save();
    }

    private void save() throws IOException {
        Path temporary = path.resolve(FILE + ".new");
        try (FileChannel channel = FileChannel.open(
                        temporary,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                OutputStream out = java.nio.channels.Channels.newOutputStream(channel)) {
            properties.store(out, "This folder's identity. Not to be edited.");
            channel.force(true);
        }
        Files.move(temporary, path.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    @Override
    public void close() throws IOException {
        lock.release();
        lockFile.close();
    }
}
