package io.dshm.server.replication.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A folder of files, as the log needs it. What was written to a file is certain to be on the disk after
 * {@link LogFile#sync}, and what happened to names after {@link #sync}; before that, any part of it may be lost with
 * the power.
 */
public interface LogFolder {

    /** The names in it, in any order. */
    List<String> names() throws IOException;

    /**
     * Opens a file, or makes an empty one.
     *
     * @param writes false if it is only to be read, and must exist
     */
    LogFile open(String name, boolean writes) throws IOException;

    /** Gives a file another name, which nothing has. Files that are open stay so. */
    void rename(String from, String to) throws IOException;

    void delete(String name) throws IOException;

    /** Brings all names to the disk. */
    void sync() throws IOException;

    /** The file's path, for messages. */
    String pathOf(String name);

    /** An open file. Writing and syncing is for one thread; any may read. */
    interface LogFile extends Closeable {

        long size() throws IOException;

        /** Writes all of it at that offset. */
        void write(ByteBuffer bytes, long offset) throws IOException;

        /**
         * Fills the buffer from that offset on, as far as the file goes; how many bytes that were.
         *
         * <p>An interrupt of the reading thread does not disturb it, nor anybody else.
         */
        int read(ByteBuffer into, long offset) throws IOException;

        /** Brings what was written, and the size, to the disk. */
        void sync() throws IOException;
    }
}
