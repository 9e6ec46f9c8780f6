package io.dshm.server.backup;

import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.FileSync;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.SnapshotEntry;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes backups at regular intervals, and deletes old ones. A backup gets its name once it is synced to the disk and
 * was read back. A failure is logged and counted, and the node goes on. Thread-safe.
 */
public final class ScheduledBackups implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ScheduledBackups.class);

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS'Z'").withZone(ZoneOffset.UTC);
    private static final String SUFFIX = ".dshm";
    private static final String TEMPORARY_SUFFIX = ".part";

    /** After a failure the next try comes after the interval divided by this. */
    private static final int RETRY_DIVISOR = 10;

    /**
     * The settings.
     *
     * @param folder for the backups; several nodes may share it
     * @param intervalSeconds between two backups
     * @param keep how many are kept at most
     * @param keepSeconds how old they may become; 0 for no bound; the newest one is kept in any case
     */
    public record Settings(Path folder, int intervalSeconds, int keep, long keepSeconds) {}

    /** A backup that is whole. */
    private record Made(Path path, long createdMillis) {}

    /** One that may be deleted. */
    private record Old(Made made, long index) {}

    private final Settings settings;
    private final String prefix;
    private final Pattern names;
    private final Backups backups;
    private final LongSupplier wallMillis;
    private final ScheduledThreadPoolExecutor thread;

    private volatile long newestMillis;
    private volatile long newestBytes;
    private final AtomicInteger failures = new AtomicInteger();

    /**
     * Does nothing before {@link #start}.
     *
     * @param prefix of the files' names: cluster and node
     */
    public ScheduledBackups(Settings settings, String prefix, Backups backups, LongSupplier wallMillis) {
        this.settings = settings;
        this.prefix = prefix;
        this.names = Pattern.compile(Pattern.quote(prefix) + "-(\\d{8}T\\d{9}Z)" + Pattern.quote(SUFFIX));
        this.backups = backups;
        this.wallMillis = wallMillis;
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, "backups");
            created.setDaemon(true);
            return created;
        });
    }

    /** Begins: the first backup is made when the newest one that is there is old enough. */
    public void start() {
        thread.execute(this::begin);
    }

    private void begin() {
        try {
            thread.schedule(this::run, look(), TimeUnit.SECONDS);
        } catch (IOException | RuntimeException e) {
            thread.schedule(this::begin, failed(e), TimeUnit.SECONDS);
        }
    }

    /** Deletes unfinished files of an earlier process; returns in how many seconds the next backup is due. */
    long look() throws IOException {
        Files.createDirectories(settings.folder());
        try (DirectoryStream<Path> left =
                Files.newDirectoryStream(settings.folder(), prefix + "-*" + TEMPORARY_SUFFIX)) {
            for (Path path : left) {
                Files.delete(path);
            }
        }
        List<Made> made = made();
        if (made.isEmpty()) {
            return 0;
        }
        noteNewest(made.get(0));
        long age = TimeUnit.MILLISECONDS.toSeconds(wallMillis.getAsLong() - newestMillis);
        return Math.max(0, Math.min(settings.intervalSeconds(), settings.intervalSeconds() - age));
    }

    /** Counts and logs a failure; returns in how many seconds to try again. */
    private long failed(Exception why) {
        failures.incrementAndGet();
        long next = Math.max(1, settings.intervalSeconds() / RETRY_DIVISOR);
        LOG.warn(
                "no backup was made in {}, the next one is tried in {} s: {}", settings.folder(), next, why.toString());
        LOG.debug("where it failed", why);
        return next;
    }

    /** Age of the newest backup in seconds, -1 if there is none; its bytes; how many have failed since the start. */
    public Map<String, Object> status() {
        long age = newestMillis == 0 ? -1 : Math.max(0, (wallMillis.getAsLong() - newestMillis) / 1000);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("backupAgeSeconds", age);
        fields.put("backupBytes", newestBytes);
        fields.put("backupFailures", failures.get());
        return fields;
    }

    /** When the newest backup was made, in milliseconds since 1970; 0 if there is none. */
    public long newestMillis() {
        return newestMillis;
    }

    public long newestBytes() {
        return newestBytes;
    }

    /** How many backups have failed since the start. */
    public long failures() {
        return failures.get();
    }

    private void run() {
        long next = settings.intervalSeconds();
        try {
            makeOne();
        } catch (IOException | RuntimeException e) {
            next = failed(e);
        } catch (InterruptedException e) {
            LOG.debug("stopping", e);
            return;
        }
        thread.schedule(this::run, next, TimeUnit.SECONDS);
    }

    /** Makes a backup now, and deletes old ones. On the calling thread. */
    void makeOne() throws IOException, InterruptedException {
        long started = System.nanoTime();
        long createdMillis = wallMillis.getAsLong();
        Path path = settings.folder().resolve(prefix + "-" + TIME.format(Instant.ofEpochMilli(createdMillis)) + SUFFIX);
        Path temporary = path.resolveSibling(path.getFileName() + TEMPORARY_SUFFIX);
        BackupHead head;
        try {
            head = write(temporary);
            readBack(temporary);
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
        FileSync.sync(settings.folder());
        noteNewest(new Made(path, createdMillis));
        LOG.info(
                "backup written: {}, {} entries as of index {}, {} bytes, in {} ms",
                path,
                head.getEntryCount(),
                head.getIndex(),
                newestBytes,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started));
        deleteOld(path, createdMillis, head.getIndex());
    }

    private BackupHead write(Path temporary) throws IOException, InterruptedException {
        try (FileChannel channel = FileChannel.open(
                        temporary,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                OutputStream out = Channels.newOutputStream(channel)) {
            BackupHead head = backups.write(true, out);
            channel.force(true);
            return head;
        }
    }

    /** Reads all of the file and checks it: damage that was on this node's disk before would be in it, too. */
    private static void readBack(Path file) throws IOException {
        try (BackupReader reader =
                new BackupReader(new BufferedInputStream(Files.newInputStream(file), 1 << 16), file.toString())) {
            reader.read((SnapshotEntry entry) -> {});
        }
    }

    /**
     * Deletes what is older than that backup, which was just made. By the log, and not by the clock, which may have
     * been wrong: a backup of an earlier index is older. One of a later index is of another log, that of a cluster
     * whose data was lost for instance, and may be the last copy of it.
     */
    private void deleteOld(Path newest, long newestMillis, long newestIndex) throws IOException {
        List<Old> old = new ArrayList<>();
        for (Made made : made()) {
            if (made.path.equals(newest)) {
                continue;
            }
            long index = indexOf(made.path);
            if (index > newestIndex) {
                LOG.warn(
                        "{} is of index {}, and the newest backup of index {}: it is of another cluster, so it is kept until you delete it",
                        made.path,
                        index,
                        newestIndex);
            } else if (index >= 0) {
                old.add(new Old(made, index));
            }
        }
        old.sort(Comparator.comparingLong(Old::index)
                .thenComparingLong(each -> each.made.createdMillis)
                .reversed());
        long oldestMillis = settings.keepSeconds() == 0
                ? Long.MIN_VALUE
                : newestMillis - TimeUnit.SECONDS.toMillis(settings.keepSeconds());
        for (int i = 0; i < old.size(); i++) {
            Made made = old.get(i).made;
            if (i + 1 >= settings.keep() || made.createdMillis < oldestMillis) {
                Files.deleteIfExists(made.path);
                LOG.info("old backup deleted: {}", made.path);
            }
        }
    }

    /** How far a backup goes; -1 if that cannot be read: it is no old backup then, and stays. */
    private static long indexOf(Path file) {
        try (BackupReader reader =
                new BackupReader(new BufferedInputStream(Files.newInputStream(file)), file.toString())) {
            return reader.head().getIndex();
        } catch (IOException e) {
            LOG.warn("{} is kept, because it cannot be read: {}", file, e.toString());
            return -1;
        }
    }

    private void noteNewest(Made made) throws IOException {
        newestBytes = Files.size(made.path);
        newestMillis = made.createdMillis;
    }

    /** The backups of this node in the folder, the newest first. */
    private List<Made> made() throws IOException {
        List<Made> made = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(settings.folder())) {
            for (Path path : all) {
                Matcher name = names.matcher(path.getFileName().toString());
                if (name.matches()) {
                    made.add(new Made(
                            path, Instant.from(TIME.parse(name.group(1))).toEpochMilli()));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        } catch (DateTimeParseException e) {
            throw new IOException("a file in " + settings.folder() + " has no time in its name", e);
        }
        made.sort(Comparator.comparingLong(Made::createdMillis).reversed());
        return made;
    }

    /** Stops. A backup under way is abandoned. */
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
