package io.dshm.server.admin;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What operators can learn of a node. Thread-safe. */
public interface NodeInfo {

    /**
     * Null if the node is healthy: no event loop hangs, its disk takes entries, it knows a leader, has caught up and is
     * registered, and no change of the format is due. Otherwise one line with the reason.
     */
    @Nullable
    String problem();

    /** Everything that {@link #problem} could name, the most important first; empty if the node is healthy. */
    List<String> problems();

    /**
     * Null if all threads that serve clients go on; otherwise which do not. A node that starts, or has no leader, is
     * alive.
     */
    @Nullable
    String hang();

    /** Names and values, in the order in which they are to be shown: numbers, booleans, or text. */
    Map<String, Object> status();

    /**
     * The state's digest: {@code index} and {@code digest}. Nodes that have applied the same index have the same one.
     * It reads all of the state, so it takes a while with much data.
     *
     * @throws IllegalStateException if it cannot be computed now
     */
    Map<String, Object> digest() throws InterruptedException;

    /** The regions with a limit, each as names and values, in the order in which they are to be shown. */
    List<Map<String, Object>> regions();

    /**
     * Limits a region, on all nodes. Blocks until that is done.
     *
     * @param name the region's; {@code :} is the default region
     * @param bytesMax what its entries may take; 0 for no limit
     * @param evicts whether it makes room when it is full; otherwise it refuses
     * @throws IllegalArgumentException if that is no region, or no limit
     * @throws IllegalStateException if it is not done, or not known to be done; the message says which
     */
    void limitRegion(String name, long bytesMax, boolean evicts) throws InterruptedException;

    /** Whether a user is required, and all users, without anything of their secrets. */
    Map<String, Object> users();

    /**
     * Changes users.
     *
     * @return what was done, in a sentence
     * @throws RefusedException if it is not to be done
     * @throws IllegalStateException if it cannot be done now
     */
    String changeUsers(UserChange change) throws RefusedException, InterruptedException;

    /** Whether that user may do what operators do, and this is its secret. */
    boolean isAdmin(String user, byte[] secret);

    /** Whether the cluster lets nobody do anything without a user, as far as this node knows. */
    boolean requiresUser();

    /**
     * Returns when this node has applied all that any node has acknowledged before this call. Blocks.
     *
     * @throws IOException if no leader confirms it in time
     * @throws IllegalStateException if the node does not run
     */
    void catchUp() throws IOException, InterruptedException;

    /** Whether this node has learnt, since it started, whether one is required. */
    boolean knowsUsers();

    /**
     * What this node knows of a limit: its numbers, what was used of it when, and what it has refused to this node's
     * clients. Names and values, and lists of such.
     *
     * @param key of at least one byte
     * @throws IllegalStateException if the node does not run
     */
    Map<String, Object> why(String key);

    /**
     * The keys that this node's clients name most, and those that limits refuse them most: lists of names and values.
     * Keys may be secrets, such as the names of sessions.
     *
     * @throws IllegalStateException if the node does not run
     */
    Map<String, Object> hotKeys();

    /**
     * Writes a backup of the present state. Blocks: first while a snapshot is taken, and then for as long as the output
     * does.
     *
     * @param confirmed whether it must hold everything that any node has acknowledged before this call; otherwise it
     *     holds what this node has
     * @param out gets nothing if there can be no backup now
     * @throws IOException if there can be none now, or the output fails
     */
    void backup(boolean confirmed, OutputStream out) throws IOException, InterruptedException;

    /**
     * The members and their roles, as this node knows them: names and values, and a list of such.
     *
     * @throws IllegalStateException if the node does not run
     */
    Map<String, Object> members();

    /**
     * Changes the members. Blocks until that is done.
     *
     * @param action what to do
     * @param subject with whom
     * @return what was done, in a sentence
     * @throws IllegalStateException if the node does not run
     */
    String changeMembers(String action, String subject) throws RefusedException, InterruptedException;

    /**
     * Reads the files with certificates and keys again. Blocks while it reads.
     *
     * @return what is used from now on, in a sentence
     * @throws RefusedException if there are none, or they cannot be used: then those before them still are
     */
    String reloadTls() throws RefusedException;
}
