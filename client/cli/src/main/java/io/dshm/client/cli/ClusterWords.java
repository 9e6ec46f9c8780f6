package io.dshm.client.cli;

import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Tool;
import java.util.List;

/** The word about the members of the cluster. */
final class ClusterWords {

    static final List<Word> ALL = List.of(
            new Word(
                    "cluster",
                    List.of(),
                    "Shows the members of the cluster, and changes them.",
                    List.of(
                            new Parameter(
                                    "ACTION",
                                    "1",
                                    "status: all members in one table. health: does every one of them work, and how many more may fail? add"
                                            + " NAME=HOST:RAFT-PORT: a new member, which gets the data and does not vote yet. promote NAME:"
                                            + " waits until it has the data; then it votes. remove NAME. replace NAME NAME=HOST:RAFT-PORT:"
                                            + " one for another. transfer-leader [NAME]: it leads from now on."),
                            new Parameter("MEMBER", "0..1", "Its name; with its address for add."),
                            new Parameter("NEW", "0..1", "replace: the other one's name and address.")),
                    List.of(),
                    new Tool(ClusterCommand::run)),
            new Word(
                    "recover",
                    List.of(),
                    "Makes a new cluster of what one node has, when a majority has lost its data: dshm recover --help.",
                    List.of(),
                    List.of(),
                    new Tool(ClusterWords::recover)));

    private ClusterWords() {}

    /** The launcher starts the server's own program for it: the state is rebuilt by the server's classes. */
    private static ExitCode recover(Arguments arguments, Session session) throws CliException {
        throw CliException.usage("recover must be the first word behind dshm, in a shell: dshm recover --help");
    }
}
