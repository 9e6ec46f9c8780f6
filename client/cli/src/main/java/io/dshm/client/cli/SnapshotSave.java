package io.dshm.client.cli;

import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import io.dshm.proto.Limits;
import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.FileSync;
import io.dshm.proto.snapshot.SnapshotException;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code dshm snapshot save}: a backup comes from a node's admin port, is verified on its way, and gets its name when
 * it is whole and on the disk. Only its owner may read it: all sessions are in it.
 */
final class SnapshotSave {

    private static final int BUFFER_BYTES = 1 << 16;
    private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final double MEGABYTE = 1e6;

    private SnapshotSave() {}

    static ExitCode run(String file, boolean stale, Session session) throws CliException {
        Endpoint port = choose(session, stale);
        try {
            return file.equals("-") ? toStdout(port, stale, session) : toFile(port, stale, Path.of(file), session);
        } catch (FileAlreadyExistsException e) {
            throw new CliException(ExitCode.REFUSED, "exists", e.getFile() + " is there already; name another file");
        } catch (SnapshotException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "damaged",
                    "what " + port + " sent is no whole backup: " + e.getMessage()
                            + "\nTry again, or another node: --admin");
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "not_saved", "no backup was saved from " + port + ": " + Reasons.of(e));
        }
    }

    /** The follower that lags least; the leader if no other node is well. */
    private static Endpoint choose(Session session, boolean stale) throws CliException {
        List<Endpoint> ports = session.adminPorts();
        if (ports.size() == 1) {
            return ports.get(0);
        }
        List<StatusTable.Node> nodes = StatusTable.ask(session);
        @Nullable Endpoint best = null;
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ports.size(); i++) {
            StatusTable.Node node = nodes.get(i);
            if (node.isWell() || (stale && !node.fields().isEmpty())) {
                Long lag = StatusTable.number(node.fields(), "lagMillis");
                boolean leads = Boolean.TRUE.equals(node.fields().get("leads"));
                long cost = leads || lag == null || lag < 0 ? Long.MAX_VALUE - 1 : lag;
                if (cost < least) {
                    least = cost;
                    best = ports.get(i);
                }
            }
        }
        if (best == null) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "no_node",
                    "no node is well; dshm status shows why. --stale takes what a node has");
        }
        return best;
    }

    private static ExitCode toStdout(Endpoint port, boolean stale, Session session) throws IOException {
        if (session.output().isTerminal()) {
            throw new IOException("a terminal is no place for a backup; write | or > behind it, or name a file");
        }
        try (InputStream in = open(session, port, stale)) {
            receive(in, session.output().out(), "stdout", session.output());
        }
        session.output().flush();
        if (session.output().out().checkError()) {
            throw new IOException("stdout was closed");
        }
        return ExitCode.OK;
    }

    private static ExitCode toFile(Endpoint port, boolean stale, Path file, Session session) throws IOException {
        if (Files.exists(file)) {
            throw new FileAlreadyExistsException(file.toString());
        }
        // Of its own: somebody else may save under the same name.
        Path temporary = Path.of(
                file + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".part");
        long started = System.nanoTime();
        try {
            Map<String, Object> said;
            try (InputStream in = open(session, port, stale);
                    FileChannel channel = FileChannel.open(
                            temporary,
                            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                    OutputStream out = Channels.newOutputStream(channel)) {
                said = receive(in, out, file.toString(), session.output());
                channel.force(true);
            }
            name(temporary, file);
            FileSync.sync(Objects.requireNonNull(file.toAbsolutePath().getParent()));
            show(file, said, Duration.ofNanos(System.nanoTime() - started), session.output());
        } finally {
            Files.deleteIfExists(temporary);
        }
        return ExitCode.OK;
    }

    /** Gives a file its name, unless another one has got it meanwhile. */
    private static void name(Path temporary, Path file) throws IOException {
        try {
            Files.createLink(file, temporary);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (FileSystemException | UnsupportedOperationException e) {
            // There are file systems without links.
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private static InputStream open(Session session, Endpoint port, boolean stale) throws IOException {
        // Until the first byte the node takes a snapshot; afterwards it disconnects who does not read, and so do we.
        Duration patience = Duration.ofSeconds(Limits.BACKUP_SNAPSHOT_SECONDS_MAX + Limits.BACKUP_STALL_SECONDS);
        return session.adminPort(port, patience).open(stale ? "/snapshot?stale=yes" : "/snapshot");
    }

    /** Copies the backup and verifies it meanwhile; what it says of itself. */
    private static Map<String, Object> receive(InputStream in, OutputStream out, String name, Output output)
            throws IOException {
        output.progress("the node takes a snapshot");
        long[] received = {0};
        InputStream copying = new FilterInputStream(in) {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int some = super.read(bytes, offset, length);
                if (some > 0) {
                    out.write(bytes, offset, some);
                    received[0] += some;
                }
                return some;
            }
        };
        BackupReader reader = new BackupReader(new BufferedInputStream(copying, BUFFER_BYTES), name);
        long started = System.nanoTime();
        long[] next = {started};
        reader.read(entry -> {
            long now = System.nanoTime();
            if (now - next[0] >= 0) {
                next[0] = now + PROGRESS_NANOS;
                output.progress(progress(
                        reader.contentBytes(), reader.head().getContentBytes(), received[0], (now - started) / 1e9));
            }
        });
        output.progress("");
        Map<String, Object> said = new LinkedHashMap<>(SnapshotInspect.head(reader.head()));
        said.put("bytes", received[0]);
        return said;
    }

    /** A bar, what has come, and how fast. */
    static String progress(long done, long all, long bytes, double seconds) {
        int width = 30;
        int full = all == 0 ? width : (int) Math.min(width, width * done / all);
        return String.format(
                "[%s%s] %3d %%  %.1f MB  %.1f MB/s",
                "#".repeat(full),
                " ".repeat(width - full),
                all == 0 ? 100 : Math.min(100, 100 * done / all),
                bytes / MEGABYTE,
                seconds <= 0 ? 0 : bytes / MEGABYTE / seconds);
    }

    private static void show(Path file, Map<String, Object> said, Duration took, Output output) {
        if (output.isJson()) {
            said.put("file", file.toString());
            output.object(said);
        } else {
            output.line(String.format(
                    "%s: %s entries as of index %s of cluster %s, from %s; %.1f MB in %.1f s",
                    file,
                    said.get("entries"),
                    said.get("index"),
                    said.get("cluster"),
                    said.get("node"),
                    (Long) Objects.requireNonNull(said.get("bytes")) / MEGABYTE,
                    took.toMillis() / 1e3));
        }
    }
}
