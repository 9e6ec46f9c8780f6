package io.dshm.client.cli;

import io.dshm.proto.Reply;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** How replies are shown: see {@link Word.Shape}. */
final class Replies {

    private Replies() {}

    /** A value, which is the whole output. */
    static ExitCode value(Arguments arguments, Reply reply, Output output) throws CliException {
        byte[] bytes = bytes(reply);
        if (output.isJson()) {
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("key", arguments.key(0).toString());
            Output.putBytes(members, "value", bytes);
            output.object(members);
        } else if (arguments.has("--raw")) {
            output.bytes(bytes);
        } else {
            output.bytesAndLineEnd(bytes);
        }
        return ExitCode.OK;
    }

    /** That it is done; the value that SET repeats is not shown. */
    static ExitCode done(Arguments arguments, Reply reply, Output output) {
        if (output.isJson()) {
            output.object(Map.of("done", true));
        } else {
            output.line("DONE");
        }
        return ExitCode.OK;
    }

    /** An integer; INCR replies what is there, where that is none. */
    static ExitCode integer(Arguments arguments, Reply reply, Output output) throws CliException {
        String text = new String(bytes(reply), StandardCharsets.UTF_8);
        if (!text.matches("-?[0-9]{1,19}")) {
            throw new CliException(
                    ExitCode.REFUSED, "not_an_integer", "not an integer, and unchanged: " + arguments.key(0));
        }
        if (output.isJson()) {
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("key", arguments.key(0).toString());
            members.put("value", Long.valueOf(text));
            output.object(members);
        } else {
            output.line(text);
        }
        return ExitCode.OK;
    }

    /** The value of a reply that has one. */
    static byte[] bytes(Reply reply) throws CliException {
        if (reply instanceof Reply.Value value) {
            return value.bytes();
        }
        if (reply instanceof Reply.Detailed detailed && detailed.value() != null) {
            return detailed.value();
        }
        throw new CliException(ExitCode.UNKNOWN, "protocol", "not a reply to this command: " + reply);
    }
}
