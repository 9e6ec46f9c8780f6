package io.dshm.server.replication.jraft;

import io.dshm.proto.snapshot.FileSync;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * The parts of a node's data folder that belong to Raft, and a file in each that says to which folder it belongs: so a
 * part that was deleted, and made again by the library, or is another node's, is noticed.
 */
public final class DataParts {

    /** The Raft log. */
    static final String LOG = "raft-segments";

    /** The same, in RocksDB, of a node whose cluster has not switched to format 2 yet, see {@link LogTakeOver}. */
    static final String OLD_LOG = "raft-log";

    /** Term and vote. */
    static final String META = "meta";

    static final String SNAPSHOT = "snapshot";

    /**
     * What the log's folder is called by releases that read format 1 only. It is a link to the old log, so that such a
     * release finds it when a node goes back to it. Without an old log it is a file, so that such a release does not
     * begin an empty log, but says that it cannot use that.
     */
    private static final String LOG_OF_FIRST_FORMAT = "log";

    private static final String OWNER = "belongs-to";

    private static final String FOR_FIRST_FORMAT = """
            This node's log is in raft-segments. Releases that read format 1 only cannot read it, and must not begin another one.
            """;

    private DataParts() {}

    /** Whether there is any part of Raft's. */
    public static boolean anyIn(Path folder) {
        return isThere(folder.resolve(LOG_OF_FIRST_FORMAT))
                || Stream.of(LOG, OLD_LOG, META, SNAPSHOT).anyMatch(part -> isThere(folder.resolve(part)));
    }

    /** The name of the log that this node has, or must have. */
    static String logIn(Path folder) {
        if (isThere(folder.resolve(LOG))) {
            return LOG;
        }
        boolean begunByThisRelease = Files.isRegularFile(folder.resolve(LOG_OF_FIRST_FORMAT), LinkOption.NOFOLLOW_LINKS)
                || !isThere(folder.resolve(META));
        return isThere(folder.resolve(OLD_LOG)) || !begunByThisRelease ? OLD_LOG : LOG;
    }

    private static List<String> partsIn(Path folder) {
        return List.of(logIn(folder), META, SNAPSHOT);
    }

    /**
     * Makes the parts, or takes over those of a release that did not mark them.
     *
     * @throws HalfFolderException if there are some of them, and not those that must be there then
     */
    public static void mark(Path folder, long owner) throws IOException {
        Path old = folder.resolve(LOG_OF_FIRST_FORMAT);
        if (Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
            requireNoOther(folder, old);
            Files.move(old, folder.resolve(OLD_LOG), StandardCopyOption.ATOMIC_MOVE);
        }
        Path log = folder.resolve(logIn(folder));
        boolean snapshots = isThere(folder.resolve(SNAPSHOT));
        boolean meta = isThere(folder.resolve(META));
        if ((snapshots || meta) && !isThere(log)) {
            throw new HalfFolderException(log, "is missing");
        }
        if (snapshots && !meta) {
            throw new HalfFolderException(folder.resolve(META), "is missing");
        }
        for (String part : partsIn(folder)) {
            setOwner(Files.createDirectories(folder.resolve(part)), owner);
        }
        FileSync.sync(folder);
    }

    private static void requireNoOther(Path folder, Path log) throws HalfFolderException {
        for (String other : List.of(LOG, OLD_LOG)) {
            if (isThere(folder.resolve(other))) {
                throw new HalfFolderException(log, "and " + folder.resolve(other) + " are two logs of one node");
            }
        }
    }

    /** Says whose a part is. On the disk on return. */
    static void setOwner(Path part, long owner) throws IOException {
        Files.writeString(part.resolve(OWNER), Long.toString(owner));
        FileSync.sync(part.resolve(OWNER));
        FileSync.sync(part);
    }

    /**
     * Checks that all parts are there and belong to this folder.
     *
     * @throws HalfFolderException if not
     */
    public static void check(Path folder, long owner) throws IOException {
        for (String part : partsIn(folder)) {
            Path marked = folder.resolve(part).resolve(OWNER);
            if (!isThere(folder.resolve(part))) {
                throw new HalfFolderException(folder.resolve(part), "is missing");
            }
            try {
                if (!Files.readString(marked).equals(Long.toString(owner))) {
                    throw new HalfFolderException(
                            folder.resolve(part), "belongs to another node's data, see " + OWNER + " in it");
                }
            } catch (NoSuchFileException e) {
                throw new HalfFolderException(folder.resolve(part), "is not complete: it has no " + OWNER, e);
            }
        }
    }

    /** So that a release that reads format 1 only finds the log, or that there is none for it. */
    public static void prepareForFirstFormat(Path folder) throws IOException {
        Path old = folder.resolve(LOG_OF_FIRST_FORMAT);
        if (Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
            requireNoOther(folder, old);
        }
        if (logIn(folder).equals(OLD_LOG)) {
            if (!Files.isSymbolicLink(old)) {
                Files.createSymbolicLink(old, Path.of(OLD_LOG));
            }
        } else if (!Files.isRegularFile(old, LinkOption.NOFOLLOW_LINKS)) {
            Path said = folder.resolve(LOG_OF_FIRST_FORMAT + ".new");
            Files.writeString(said, FOR_FIRST_FORMAT);
            FileSync.sync(said);
            Files.move(said, old, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        FileSync.sync(folder);
    }

    private static boolean isThere(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }
}
