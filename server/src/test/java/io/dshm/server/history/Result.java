package io.dshm.server.history;

/** What a client knows of an operation's outcome. */
public sealed interface Result {

    /** {@code LEN}: a value, or a number in its decimal form. */
    record Value(String value) implements Result {}

    /** {@code DONE}. */
    record Done() implements Result {}

    /** The key of a read was absent. */
    record NotFound() implements Result {}

    /** An error that says that the command was not applied and never will be; of a read, any error. */
    record NotApplied(String code) implements Result {}

    /** An error that leaves it open, or a connection that broke: it may take effect later, or never. */
    record Unknown(String why) implements Result {}
}
