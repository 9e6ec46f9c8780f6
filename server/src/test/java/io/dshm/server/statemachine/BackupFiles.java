package io.dshm.server.statemachine;

import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.BackupWriter;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.SnapshotHeader;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Backups for tests. */
public final class BackupFiles {

    private BackupFiles() {}

    /** A snapshot of this state in a new folder, its files open. */
    public static SnapshotFiles snapshot(Path folder, StateMachine stateMachine, long partBytes) throws IOException {
        Files.createDirectories(folder);
        List<FileChannel> files = new ArrayList<>();
        try (StateView view = stateMachine.view()) {
            long entryCount = 0;
            for (SnapshotWriter.Part part : new SnapshotWriter(folder, view, partBytes).write()) {
                files.add(FileChannel.open(folder.resolve(part.name())));
                entryCount += SnapshotWriter.Part.entryCount(part.checksum());
            }
            return new SnapshotFiles(stateMachine.appliedIndex(), 3, entryCount, files);
        }
    }

    /** A backup of this state, made by node n1 of the cluster named old. */
    public static Path write(Path folder, StateMachine stateMachine) throws IOException {
        Path file = folder.resolve("backup.dshm");
        try (SnapshotFiles snapshot = snapshot(folder.resolve("files"), stateMachine, 512);
                OutputStream out = Files.newOutputStream(file)) {
            BackupWriter writer = new BackupWriter(
                    out,
                    BackupHead.newBuilder()
                            .setCluster("old")
                            .setNode("n1")
                            .setIndex(snapshot.index())
                            .setEntryCount(snapshot.entryCount())
                            .setContentBytes(snapshot.bytes())
                            .build());
            snapshot.copyTo(writer);
            writer.finish();
        }
        return file;
    }

    /** Reads it. */
    public static BackupReader open(Path file) throws IOException {
        return new BackupReader(new BufferedInputStream(Files.newInputStream(file)), file.toString());
    }

    /** A state with a few entries of all kinds, and clients, in several regions. */
    public static StateMachine someState() {
        Log log = new Log();
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        log.append(Log.switchFormat(io.dshm.proto.Formats.BOUNDS));
        for (int i = 0; i < 30; i++) {
            log.append(log.next(Log.set("a:" + i, "v" + i, i)), log.next(Log.incr("b:" + i % 7, 1, 0)));
            log.append(log.next(Log.rateLimiter("a:limiter" + i % 3, 50, 60)), log.next(Log.put("plain" + i, i, 0)));
        }
        log.append(log.next(Log.incr("b:once", 1, 0).setClient(5).setClientSequence(9)));
        log.append(log.next(Log.chunk(3, 9, 0, "abc")));
        log.applyTo(stateMachine);
        return stateMachine;
    }

    /** A state of a log that has hardly begun. */
    public static StateMachine littleState() {
        Log log = new Log();
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        log.append(log.next(Log.incr("n", 1, 0)));
        log.applyTo(stateMachine);
        return stateMachine;
    }

    /** The header of the state, for comparisons. */
    static SnapshotHeader header(StateMachine stateMachine) {
        try (StateView view = stateMachine.view()) {
            return view.header();
        }
    }
}
