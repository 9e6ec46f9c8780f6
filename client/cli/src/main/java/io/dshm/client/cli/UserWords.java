package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Tool;
import java.util.List;

/** The words about who may do what. */
final class UserWords {

    static final List<Word> ALL = List.of(
            new Word(
                    "user",
                    List.of(),
                    "Shows the users of the cluster, and changes them.",
                    List.of(
                            new Parameter(
                                    "ACTION",
                                    "1",
                                    "list: all users and their rights. add NAME: a new one, with a new secret. grant NAME, revoke NAME:"
                                            + " changes its rights. rotate NAME: gives it a second secret; the first one goes on until rotate"
                                            + " NAME --finish. remove NAME: its connections end."),
                            new Parameter("NAME", "0..1", "The user.")),
                    List.of(
                            new Option(
                                    "--rights",
                                    "RIGHT:REGION,...",
                                    "add, grant, revoke: read, write, take or admin, and a region, a beginning of names with a * or *: for"
                                            + " example read:limits,write:tenant-*. read:: is of the default region."),
                            new Option(
                                    "--new-secret-file",
                                    "FILE",
                                    "add, rotate: where the new secret is; if the file is not there, one is made and written to it. Without"
                                            + " it the secret is shown, once."),
                            new Option("--finish", "", "rotate: the newest secret is the only one."),
                            new Option(
                                    "--at-once", "", "rotate: the new secret takes the place of all others at once.")),
                    new Tool(UserCommand::run)),
            new Word(
                    "auth",
                    List.of(),
                    "Whether clients must be users of the cluster.",
                    List.of(new Parameter(
                            "MODE",
                            "1",
                            "on: who does not say who it is may do nothing. off: everybody may do everything.")),
                    List.of(),
                    new Tool(UserCommand::auth)));

    private UserWords() {}
}
