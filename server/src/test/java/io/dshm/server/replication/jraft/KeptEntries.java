package io.dshm.server.replication.jraft;

import java.io.IOException;
import java.nio.file.Path;

/** For tests of other packages: what a data folder says that its node has kept. */
public final class KeptEntries {

    private KeptEntries() {}

    /** The node had come to that index when it stopped. */
    public static void say(Path folder, long owner, long index) throws IOException {
        try (Progress progress = Progress.open(folder, owner)) {
            progress.appended(index);
        }
    }
}
