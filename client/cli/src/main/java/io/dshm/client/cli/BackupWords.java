package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Tool;
import java.util.List;

/** Words about backups. */
final class BackupWords {

    static final List<Word> ALL = List.of(
            new Word(
                    "snapshot",
                    List.of(),
                    "Saves a backup of all data, verifies one, or shows what is in it.",
                    List.of(
                            new Parameter(
                                    "ACTION",
                                    "1",
                                    "save: from a running node into FILE. verify: is FILE whole and as it was written? inspect: what is"
                                            + " in FILE? verify and inspect need no cluster."),
                            new Parameter("FILE", "1", "The backup; - is stdout.")),
                    List.of(
                            new Option(
                                    "--stale",
                                    "",
                                    "save: also from a node that no leader confirms to be up to date; it may lack the latest writes."),
                            new Option(
                                    "--keys",
                                    "PATTERN",
                                    "inspect: lists the keys that match; * and ? stand for others."),
                            new Option("--get", "KEY", "inspect: shows the value of this key, its region included.")),
                    new Tool(BackupWords::snapshot)),
            new Word(
                    "restore",
                    List.of(),
                    "Makes the data folder of a node of a new cluster out of a backup: dshm restore --help.",
                    List.of(),
                    List.of(),
                    new Tool(BackupWords::restore)));

    private BackupWords() {}

    private static ExitCode snapshot(Arguments arguments, Session session) throws CliException {
        String file = arguments.required(1);
        return switch (arguments.required(0)) {
            case "save" -> SnapshotSave.run(file, arguments.has("--stale"), session);
            case "verify" -> SnapshotInspect.verify(file, session.output());
            case "inspect" ->
                SnapshotInspect.run(file, arguments.option("--keys"), arguments.option("--get"), session.output());
            default ->
                throw CliException.usage(
                        "there is no 'snapshot " + arguments.required(0) + "', but save, verify and inspect");
        };
    }

    /** The launcher starts the server's own program for it: the state is rebuilt by the server's classes. */
    private static ExitCode restore(Arguments arguments, Session session) throws CliException {
        throw CliException.usage("restore must be the first word behind dshm, in a shell: dshm restore --help");
    }
}
