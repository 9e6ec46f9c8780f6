package io.dshm.client.cli;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.text.ProtocolException;
import io.dshm.proto.text.ReplyDecoder;
import io.dshm.proto.text.RequestEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/** {@code dshm multi} and {@code dshm take-all}: several words in one request. */
final class Several {

    private static final String TAKES_ONLY = "take-all takes the word take";

    private Several() {}

    /** One of the words, with its arguments. */
    private record Part(Word.Request request, Arguments arguments, Command command) {}

    /** Runs the words that stand one a line. */
    static ExitCode run(Arguments arguments, Session session) throws CliException {
        List<Part> parts = parts(arguments, "multi takes words that read or write a key");
        return show(parts, session.call(command(parts, arguments)), session.output());
    }

    /** Takes of the limits that stand one a line; the exit code says whether of all. */
    static ExitCode takeAll(Arguments arguments, Session session) throws CliException {
        List<Part> parts = parts(arguments, TAKES_ONLY);
        List<Command.Take> takes = new ArrayList<>();
        for (Part part : parts) {
            if (!(part.command instanceof Command.Take take)) {
                throw CliException.usage(TAKES_ONLY);
            }
            takes.add(take);
        }
        if (takes.isEmpty() || takes.size() > Limits.TAKES_MAX) {
            throw CliException.usage("take-all takes 1 to " + Limits.TAKES_MAX
                    + " limits, one a line, on stdin or in @FILE; not " + takes.size());
        }
        Reply reply = session.call(new Command.TakeAll(takes, 0));
        ExitCode shown = show(parts, reply, session.output());
        boolean refused = reply instanceof Reply.Detailed detailed && "0".equals(detailed.detail("allowed"));
        return refused ? ExitCode.NO : shown;
    }

    private static List<Part> parts(Arguments arguments, String wanted) throws CliException {
        List<Part> parts = new ArrayList<>();
        for (String line : arguments.lines(0)) {
            String[] words = LineSplitter.split(line);
            if (words.length > 0) {
                parts.add(part(Arguments.parse(arguments, null, words), line, wanted));
            }
        }
        return parts;
    }

    private static Part part(Arguments arguments, String line, String wanted) throws CliException {
        Word word = arguments.word();
        if (word == null || !(word.action() instanceof Word.Request request)) {
            throw CliException.usage(wanted + ", not: " + line);
        }
        return new Part(request, arguments, request.builder().build(arguments));
    }

    private static Command command(List<Part> parts, Arguments arguments) throws CliException {
        List<Command.KeyRead> reads = new ArrayList<>();
        List<Command.KeyWrite> writes = new ArrayList<>();
        ByteBuf data = Unpooled.buffer();
        for (Part part : parts) {
            if (part.command instanceof Command.KeyRead read) {
                reads.add(read);
            } else if (part.command instanceof Command.KeyWrite write) {
                writes.add(write);
                RequestEncoder.encode(write, data);
            } else {
                throw CliException.usage("multi takes words that read or write one key each");
            }
        }
        if (parts.isEmpty() || parts.size() > Limits.MULTI_REQUESTS_MAX) {
            throw CliException.usage("multi takes 1 to " + Limits.MULTI_REQUESTS_MAX
                    + " words, one a line, on stdin or in @FILE; not " + parts.size());
        }
        if (!reads.isEmpty() && !writes.isEmpty()) {
            throw CliException.usage("multi takes words that read, or words that write; not both");
        }
        return writes.isEmpty()
                ? new Command.MultiRead(reads, arguments.readMode())
                : new Command.Multi(writes, data.readableBytes());
    }

    /** Shows each reply as its word does; the worst exit code. */
    private static ExitCode show(List<Part> parts, Reply reply, Output output) throws CliException {
        ByteBuf in = Unpooled.wrappedBuffer(Replies.bytes(reply));
        ReplyDecoder decoder = new ReplyDecoder(Limits.VALUE_BYTES_MAX);
        ExitCode worst = ExitCode.OK;
        try {
            for (Part part : parts) {
                Reply inner = decoder.decode(in);
                if (inner == null) {
                    throw new ProtocolException("replies are missing");
                }
                ExitCode exitCode = show(part, inner, output);
                worst = exitCode.compareTo(worst) > 0 ? exitCode : worst;
            }
        } catch (ProtocolException e) {
            throw new CliException(ExitCode.UNKNOWN, "protocol", String.valueOf(e.getMessage()));
        }
        return worst;
    }

    private static ExitCode show(Part part, Reply reply, Output output) {
        try {
            return part.request.shape().show(part.arguments, Failures.orThrow(reply), output);
        } catch (CliException e) {
            output.failure(e);
            return e.exitCode();
        }
    }
}
