package io.dshm.server.replication.jraft;

import io.dshm.proto.snapshot.FileSync;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The parts of a node's data folder that belong to Raft, and a file in each that says to which folder it belongs: so a part
 * that was deleted, and made again by the library, or is another node's, is noticed.
 */
public final class DataParts {

    /** The Raft log. */
    static final String LOG = "raft-log";

    /** Term and vote. */
    static final String META = "meta";

    static final String SNAPSHOT = "snapshot";

    /**
     * What the log's folder is called by releases that read format 1 only. It is a link, so that such a release finds the
     * log when a node goes back to it, and does not begin an empty one.
     */
    private static final String LOG_OF_FIRST_FORMAT = "log";

    private static final String OWNER = "belongs-to";
    private static final List<String> ALL = List.of(LOG, META, SNAPSHOT);

    private DataParts() {}

    /** Whether there is any part of Raft's. */
    public static boolean anyIn(Path folder) {
        return isThere(folder.resolve(LOG_OF_FIRST_FORMAT))
                || ALL.stream().anyMatch(part -> isThere(folder.resolve(part)));
    }

    /**
     * Makes the parts, or takes over those of a release that did not mark them.
     *
     * @throws HalfFolderException if there are some of them, and not those that must be there then
     */
    public static void mark(Path folder, long owner) throws IOException {
        Path log = folder.resolve(LOG);
        Path old = folder.resolve(LOG_OF_FIRST_FORMAT);
        if (Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
            if (isThere(log)) {
                throw new HalfFolderException(old, "and " + log + " are two logs of one node");
            }
            Files.move(old, log, StandardCopyOption.ATOMIC_MOVE);
        }
        boolean snapshots = isThere(folder.resolve(SNAPSHOT));
        boolean meta = isThere(folder.resolve(META));
        if ((snapshots || meta) && !isThere(log)) {
            throw new HalfFolderException(log, "is missing");
        }
        if (snapshots && !meta) {
            throw new HalfFolderException(folder.resolve(META), "is missing");
        }
        for (String part : ALL) {
            Path made = Files.createDirectories(folder.resolve(part));
            Files.writeString(made.resolve(OWNER), Long.toString(owner));
            FileSync.sync(made.resolve(OWNER));
            FileSync.sync(made);
        }
        FileSync.sync(folder);
    }

    /**
     * Checks that all parts are there and belong to this folder.
     *
     * @throws HalfFolderException if not
     */
    public static void check(Path folder, long owner) throws IOException {
        for (String part : ALL) {
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

    /** So that a release that reads format 1 only finds the log. */
    public static void linkForFirstFormat(Path folder) throws IOException {
        Path old = folder.resolve(LOG_OF_FIRST_FORMAT);
        if (Files.isSymbolicLink(old)) {
            return;
        }
        if (isThere(old)) {
            throw new HalfFolderException(old, "and " + folder.resolve(LOG) + " are two logs of one node");
        }
        Files.createSymbolicLink(old, Path.of(LOG));
        FileSync.sync(folder);
    }

    private static boolean isThere(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }
}
