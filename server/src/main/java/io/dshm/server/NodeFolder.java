package io.dshm.server;

import io.dshm.proto.KeySeed;
import io.dshm.proto.snapshot.FileSync;
import io.dshm.server.replication.jraft.DataParts;
import io.dshm.server.replication.jraft.HalfFolderException;
import io.dshm.server.replication.jraft.LogTakeOver;
import io.dshm.server.replication.jraft.Progress;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Reader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's data folder: whose it is, how often its node has started, whether all its parts are there, and a lock, so
 * that only one process uses it.
 *
 * <p>The file {@code node.properties} is replaced as a whole, and is on the disk before anything that relies on it
 * happens.
 */
final class NodeFolder implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NodeFolder.class);

    private static final String FILE = "node.properties";
    private static final String CLUSTER = "cluster";
    private static final String NODE = "node";
    private static final String FOLDER = "folder";
    private static final String STARTS = "starts";
    private static final String JOINING = "joining";

    /** See {@link KeySeed}; missing in a folder that an older release has begun. */
    private static final String KEY_SEED = "key-seed";

    /** The cluster's id, in hexadecimal digits, and the index of the entry that gave it. */
    private static final String CLUSTER_ID = "cluster-id";

    private static final String CLUSTER_SINCE = "cluster-since";

    /**
     * The start at which the parts were last marked or checked. Releases of format 1 do neither, and do not change this
     * number: if it is not that of the last start, such a release has used the folder meanwhile.
     */
    private static final String MARKED = "marked";

    private static final String README = """
            This folder holds the data of one DSHM node.

            Never delete, copy back or move a part of it: the node would forget what it has promised to the other nodes,
            and refuses to start. Delete the whole folder (with the node stopped, and the other nodes well), or nothing.

            node.properties  which node this is, how often it has started, and the seed of its hashes (as secret as the data)
            progress         how far the node had come; shows whether a part is missing or older than it should be
            raft-segments    the Raft log: acknowledged writes that are in no snapshot yet. It is no log file for people
            raft-log         the same, of a node that an older release has begun, until all nodes are upgraded
            log              for an older release: a link to raft-log, or a file that says that this is not there any more
            meta             the node's term and vote
            snapshot         the state as of an index
            lib              RocksDB's library, which only raft-log needs; made again at each start
            lock             held by the running process

            To make room, see --snapshot-log-bytes. What is written for people to read is elsewhere: see --log-dir.
            """;

    private final Path path;
    private final FileChannel lockFile;
    private final FileLock lock;
    private final Properties properties = new Properties();
    private @Nullable Progress progress;

    private long keySeed;

    /** Copies from {@link #properties}, for any thread. */
    private volatile long clusterId;

    private volatile long clusterSince;

    private NodeFolder(Path path, FileChannel lockFile, FileLock lock) {
        this.path = path;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /**
     * Opens the folder, or makes it, and counts one more start.
     *
     * @throws HalfFolderException if a part is missing, older than it should be, or of another node
     * @throws IOException if it cannot be used; the message says why, for the operator
     */
    static NodeFolder open(Path path, String cluster, String node) throws IOException {
        FileChannel lockFile;
        FileLock lock;
        try {
            Files.createDirectories(path);
            lockFile = FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock = lockFile.tryLock();
        } catch (IOException e) {
            throw new IOException("data-dir: cannot use " + path, e);
        }
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

    /**
     * Gives a folder with a restored state, which no node has used yet, to this node, which founds a cluster. Its parts
     * are marked at the first start.
     */
    static void found(Path path, String cluster, String node) throws IOException {
        Properties properties = new Properties();
        begin(properties, cluster, node);
        properties.setProperty(JOINING, "false");
        save(path, properties);
    }

    /** The node and cluster that a folder belongs to. */
    record Owner(String cluster, String node) {}

    /**
     * Which node and cluster that folder belongs to.
     *
     * @throws IOException if it is no data folder, or its file cannot be read
     */
    static Owner ownerOf(Path path) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(path.resolve(FILE))) {
            properties.load(reader);
        }
        String cluster = properties.getProperty(CLUSTER);
        String node = properties.getProperty(NODE);
        if (cluster == null || node == null) {
            throw new HalfFolderException(path.resolve(FILE), "is damaged");
        }
        return new Owner(cluster, node);
    }

    private static void begin(Properties properties, String cluster, String node) {
        properties.setProperty(CLUSTER, cluster);
        properties.setProperty(NODE, node);
        properties.setProperty(FOLDER, Long.toString(ThreadLocalRandom.current().nextLong()));
        properties.setProperty(STARTS, "0");
    }

    private void load(String cluster, String node) throws IOException {
        Path file = path.resolve(FILE);
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                properties.load(reader);
            }
            requireSame(CLUSTER, cluster);
            requireSame(NODE, node);
        } else if (DataParts.anyIn(path)) {
            throw new HalfFolderException(file, "is missing");
        } else {
            begin(properties, cluster, node);
            save();
        }
        properties.putIfAbsent(KEY_SEED, Long.toString(KeySeed.random()));
        requireNumbers();
        Progress opened = openParts();
        progress = opened;
        countStart();
        Files.writeString(path.resolve("README"), README);
    }

    /** One more start of the node; that number is on the disk on return. */
    synchronized long countStart() throws IOException {
        properties.setProperty(STARTS, Long.toString(starts() + 1));
        properties.setProperty(MARKED, Long.toString(starts()));
        save();
        progress().setStarts(starts());
        return starts();
    }

    private Progress openParts() throws IOException {
        boolean marked = properties.getProperty(STARTS).equals(properties.getProperty(MARKED));
        if (marked) {
            DataParts.check(path, id());
        } else {
            DataParts.mark(path, id());
        }
        Progress opened = marked ? Progress.open(path, id()) : Progress.create(path, id());
        if (opened.starts() > starts()) {
            opened.close();
            throw new HalfFolderException(path.resolve(FILE), "is an older copy");
        }
        DataParts.prepareForFirstFormat(path);
        return opened;
    }

    /**
     * Copies the log that an earlier release has kept in RocksDB, if the cluster's format allows it and it has not been
     * done. Takes as long as reading and writing the log. Called before the log is opened.
     *
     * @throws HalfFolderException if the old log is damaged
     * @throws IOException if it cannot be read, or the new one not be written
     */
    void takeOverLog() throws IOException {
        // A cluster with an id uses format 2.
        if (clusterId != 0) {
            LogTakeOver.run(path, id(), progress());
        }
    }

    private void requireNumbers() throws HalfFolderException {
        try {
            LOG.debug("folder {} has started {} times", id(), starts());
            clusterId = Long.parseUnsignedLong(properties.getProperty(CLUSTER_ID, "0"), 16);
            clusterSince = Long.parseLong(properties.getProperty(CLUSTER_SINCE, "0"));
            keySeed = Long.parseLong(properties.getProperty(KEY_SEED));
        } catch (NumberFormatException e) {
            throw new HalfFolderException(path.resolve(FILE), "is damaged", e);
        }
    }

    /** The record of how far this node's log and votes had come. */
    Progress progress() {
        return Objects.requireNonNull(progress);
    }

    private void requireSame(String key, String configured) throws IOException {
        String stored = properties.getProperty(key);
        if (!configured.equals(stored)) {
            throw new IOException("data-dir: " + path + " belongs to " + key + " " + stored + ", not " + configured);
        }
    }

    /** A number that tells this folder from others that the node has had. */
    long id() {
        return Long.parseLong(properties.getProperty(FOLDER));
    }

    /** How often the node has started with this folder, this time included. */
    long starts() {
        return Long.parseLong(properties.getProperty(STARTS));
    }

    /** The seed of the hashes by which this node's entries are ordered. */
    long keySeed() {
        return keySeed;
    }

    /** The id of the cluster whose data this is; 0 if it had none yet. Any thread. */
    long clusterId() {
        return clusterId;
    }

    /** The index of the entry that gave the cluster its id. Any thread. */
    long clusterSince() {
        return clusterSince;
    }

    /** The file that says whose folder this is, for messages. */
    Path file() {
        return path.resolve(FILE);
    }

    /** Stores the cluster's id and the index that gave it. On the disk on return. */
    synchronized void setCluster(long id, long since) throws IOException {
        properties.setProperty(CLUSTER_ID, Long.toHexString(id));
        properties.setProperty(CLUSTER_SINCE, Long.toString(since));
        save();
        clusterSince = since;
        clusterId = id;
    }

    /** Whether it has been decided if this node founds a cluster or joins an existing one. */
    boolean isDecided() {
        return properties.containsKey(JOINING);
    }

    /** Whether the node has lost data and must get it back before it may vote. */
    boolean isJoining() {
        return Boolean.parseBoolean(properties.getProperty(JOINING));
    }

    /**
     * Stores that decision. It is {@code true} if, before Raft starts, a part of the folder is found to be missing:
     * the node then does not count until it knows the others' terms, and does not vote until it has its data back. This
     * holds over restarts, until that is done.
     */
    synchronized void setJoining(boolean joining) throws IOException {
        properties.setProperty(JOINING, Boolean.toString(joining));
        save();
    }

    private void save() throws IOException {
        save(path, properties);
    }

    private static void save(Path path, Properties properties) throws IOException {
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
        FileSync.sync(path);
    }

    @Override
    public void close() throws IOException {
        if (progress != null) {
            progress.close();
        }
        lock.release();
        lockFile.close();
    }
}
