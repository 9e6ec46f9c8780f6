package io.dshm.client.cli;

import io.dshm.proto.Doubles;
import io.dshm.proto.Reply;
import java.math.BigDecimal;
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
            Map<String, Object> members = keyed(arguments);
            Output.putBytes(members, "value", bytes);
            putDetails(members, reply);
            output.object(members);
        } else if (arguments.has("--raw")) {
            output.bytes(bytes);
        } else {
            output.bytesAndLineEnd(bytes);
        }
        return ExitCode.OK;
    }

    /** A line with what there is to know, and the value. */
    static ExitCode fetched(Arguments arguments, Reply reply, Output output) throws CliException {
        if (output.isJson()) {
            return value(arguments, reply, output);
        }
        byte[] bytes = bytes(reply);
        output.line("length=" + bytes.length + (reply instanceof Reply.Detailed all ? " " + all.details() : ""));
        output.bytesAndLineEnd(bytes);
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

    /** The words {@code name=value} of a reply. */
    static ExitCode details(Arguments arguments, Reply reply, Output output) throws CliException {
        if (!(reply instanceof Reply.Detailed detailed)) {
            throw unexpected(reply);
        }
        if (output.isJson()) {
            Map<String, Object> members = new LinkedHashMap<>();
            putDetails(members, reply);
            output.object(members);
        } else {
            output.line(detailed.details());
        }
        return ExitCode.OK;
    }

    /** What STAT says of the time to live, in seconds. */
    static ExitCode ttl(Arguments arguments, Reply reply, Output output) throws CliException {
        if (!(reply instanceof Reply.Detailed detailed)) {
            throw unexpected(reply);
        }
        String millis = detailed.detail("ttl");
        if (output.isJson()) {
            Map<String, Object> members = keyed(arguments);
            members.put("ttlMillis", millis == null ? null : Long.valueOf(millis));
            output.object(members);
        } else {
            output.line(
                    millis == null
                            ? "never"
                            : BigDecimal.valueOf(Long.parseLong(millis), 3).toPlainString());
        }
        return ExitCode.OK;
    }

    /** An integer; INCR replies what is there, where that is none. */
    static ExitCode integer(Arguments arguments, Reply reply, Output output) throws CliException {
        String text = text(reply);
        if (!text.matches("-?[0-9]{1,19}")) {
            throw new CliException(
                    ExitCode.REFUSED, "not_an_integer", "not an integer, and unchanged: " + arguments.key(0));
        }
        return show(text, output);
    }

    /** A number that is the whole reply. */
    static ExitCode number(Arguments arguments, Reply reply, Output output) throws CliException {
        return show(text(reply), output);
    }

    /** How many tokens are left; NO if none was taken. */
    static ExitCode tokens(Arguments arguments, Reply reply, Output output) throws CliException {
        String text = text(reply);
        show(text, output);
        return text.startsWith("-") ? ExitCode.NO : ExitCode.OK;
    }

    /** What a limit decided; NO if nothing was taken. */
    static ExitCode decision(Arguments arguments, Reply reply, Output output) throws CliException {
        details(arguments, reply, output);
        return reply instanceof Reply.Detailed detailed && "0".equals(detailed.detail("allowed"))
                ? ExitCode.NO
                : ExitCode.OK;
    }

    /** What a share has; NO if it has nothing. */
    static ExitCode share(Arguments arguments, Reply reply, Output output) throws CliException {
        details(arguments, reply, output);
        return reply instanceof Reply.Detailed detailed && "0".equals(detailed.detail("granted"))
                ? ExitCode.NO
                : ExitCode.OK;
    }

    private static ExitCode show(String number, Output output) {
        if (output.isJson()) {
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("value", jsonNumber(number));
            output.object(members);
        } else {
            output.line(number);
        }
        return ExitCode.OK;
    }

    /** As a number where JSON has it. */
    private static Object jsonNumber(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        if (text.matches("-?[0-9]{1,18}")) {
            return Long.valueOf(text);
        }
        if (!Doubles.isNumber(bytes)) {
            return text;
        }
        double number = Doubles.parse(bytes);
        return text.matches("-?[0-9.]+") && Double.isFinite(number) ? new BigDecimal(text) : (Object) text;
    }

    private static Map<String, Object> keyed(Arguments arguments) throws CliException {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("key", arguments.key(0).toString());
        return members;
    }

    private static void putDetails(Map<String, Object> members, Reply reply) {
        if (reply instanceof Reply.Detailed detailed) {
            for (String word : detailed.details().split(" ", -1)) {
                int equals = word.indexOf('=');
                if (equals > 0) {
                    members.put(word.substring(0, equals), jsonNumber(word.substring(equals + 1)));
                }
            }
        }
    }

    private static String text(Reply reply) throws CliException {
        return new String(bytes(reply), StandardCharsets.UTF_8);
    }

    /** The value of a reply that has one. */
    static byte[] bytes(Reply reply) throws CliException {
        if (reply instanceof Reply.Value value) {
            return value.bytes();
        }
        if (reply instanceof Reply.Detailed detailed && detailed.value() != null) {
            return detailed.value();
        }
        throw unexpected(reply);
    }

    private static CliException unexpected(Reply reply) {
        return new CliException(
                ExitCode.UNKNOWN,
                "protocol",
                "this is no reply to this command: " + reply + "\nis it a DSHM of this version? dshm info says");
    }
}
