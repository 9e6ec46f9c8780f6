package io.dshm.client.cli;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where results and messages go. */
final class Output {

    private final PrintStream out;
    private final PrintStream err;
    private final boolean terminal;
    private final boolean json;

    /**
     * Writes there.
     *
     * @param terminal whether {@code out} is one
     * @param json whether results are JSON objects, one a line
     */
    Output(PrintStream out, PrintStream err, boolean terminal, boolean json) {
        this.out = out;
        this.err = err;
        this.terminal = terminal;
        this.json = json;
    }

    /** The same, with results as JSON or not. */
    Output as(boolean asJson) {
        return new Output(out, err, terminal, asJson);
    }

    boolean isTerminal() {
        return terminal;
    }

    boolean isJson() {
        return json;
    }

    /** A line of text. */
    void line(String text) {
        out.print(text);
        out.print('\n');
    }

    /** Bytes, and a line end after them. */
    void bytesAndLineEnd(byte[] bytes) {
        bytes(bytes);
        out.print('\n');
    }

    /** Bytes, and nothing else. */
    void bytes(byte[] bytes) {
        out.write(bytes, 0, bytes.length);
    }

    /** A JSON object on a line. */
    void object(Map<String, ?> members) {
        line(Json.text(members));
    }

    /**
     * How far something is that takes long: one line that replaces itself, for people at a terminal; empty in the end.
     */
    void progress(String text) {
        if (terminal && !json) {
            err.print("\r\u001b[K" + text);
            err.flush();
        }
    }

    /** A line beside the results, for people at a terminal. */
    void aside(String text) {
        if (terminal && !json) {
            err.print(text + "\n");
            err.flush();
        }
    }

    /** A message for people; in JSON an object, so that whoever reads results finds it. */
    void failure(CliException failure) {
        if (json) {
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("error", failure.error());
            members.put("message", failure.getMessage());
            members.put("exit", failure.exitCode().number());
            object(members);
        } else {
            err.print("dshm: " + failure.getMessage() + "\n");
        }
        flush();
    }

    /** Adds a value to an object: as text under this name, or, if it is not UTF-8, as Base64 under another. */
    static void putBytes(Map<String, Object> members, String name, byte[] bytes) {
        try {
            members.put(
                    name,
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes))
                            .toString());
        } catch (CharacterCodingException e) {
            members.put(name + "Base64", Base64.getEncoder().encodeToString(bytes));
        }
    }

    PrintStream out() {
        return out;
    }

    void flush() {
        out.flush();
        err.flush();
    }
}
