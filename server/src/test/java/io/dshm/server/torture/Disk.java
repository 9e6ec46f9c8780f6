package io.dshm.server.torture;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A file system of one node's own: XFS in a file, mounted through a loop device. It can be full, and its power can fail, so
 * that whatever was not brought to it by fsync is gone.
 */
final class Disk {

    /** The least that XFS takes is 300 MB; in the file are only the blocks that were written. */
    private static final long BYTES = 768L * 1024 * 1024;

    private static final long BLOCK_BYTES = 4096;
    private static final String BALLAST = "ballast";

    private final Path image;
    private final Path folder;

    private Disk(Path image, Path folder) {
        this.image = image;
        this.folder = folder;
    }

    /** What this machine lacks for such disks, if anything. */
    static Optional<String> lacking() throws IOException {
        Optional<String> tools = Shell.missing("mkfs.xfs", "xfs_io", "mount", "umount", "fallocate");
        if (tools.isPresent()) {
            return tools;
        }
        if (!Network.isRoot()) {
            return Optional.of("root's rights");
        }
        if (!Files.readString(Path.of("/proc/filesystems")).contains("\txfs\n")) {
            return Optional.of("XFS in its kernel (modprobe xfs)");
        }
        return Files.exists(Path.of("/dev/loop-control")) ? Optional.empty() : Optional.of("loop devices");
    }

    /** An empty disk, mounted at this folder, with its image beside it. */
    static Disk create(Path folder) throws IOException, InterruptedException {
        Path image = folder.resolveSibling(folder.getFileName() + ".xfs");
        Files.createDirectories(folder);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(BYTES);
        }
        Shell.run("mkfs.xfs", "-q", image.toString());
        Disk disk = new Disk(image, folder);
        disk.mount();
        return disk;
    }

    private void mount() throws IOException, InterruptedException {
        Shell.run("mount", "-o", "loop", image.toString(), folder.toString());
    }

    /** Takes all the space that is left. */
    void fill() throws IOException, InterruptedException {
        Path ballast = folder.resolve(BALLAST);
        long taken = 0;
        for (long step = usable(); step >= BLOCK_BYTES; ) {
            try {
                Shell.run("fallocate", "-l", "" + (taken + step), ballast.toString());
                taken += step;
                step = Math.min(step, usable());
            } catch (IOException e) {
                if (taken + step > BYTES) {
                    throw e;
                }
                // So much is not to be had: some of it is the file system's own.
                step /= 2;
            }
        }
    }

    private long usable() throws IOException {
        return Files.getFileStore(folder).getUsableSpace();
    }

    /** Gives back what {@link #fill} took. */
    void free() throws IOException {
        Files.deleteIfExists(folder.resolve(BALLAST));
    }

    /** From now on nothing reaches the disk any more, and what has not reached it is lost. */
    void powerOff() throws IOException, InterruptedException {
        Shell.run("xfs_io", "-x", "-c", "shutdown", folder.toString());
    }

    /** Takes part in the world again, with what was on it. Nobody may use it any more. */
    void powerOn() throws IOException, InterruptedException {
        Shell.run("umount", folder.toString());
        mount();
    }

    /** Removes it. */
    void takeDown() throws IOException, InterruptedException {
        unmountBelow(folder);
        Files.deleteIfExists(image);
    }

    /** Unmounts whatever is mounted at this folder, or below. */
    static void unmountBelow(Path folder) throws IOException, InterruptedException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
            String mounted = line.split(" ", -1)[1];
            if (Path.of(mounted).startsWith(folder)) {
                Shell.run("umount", mounted);
            }
        }
    }
}
