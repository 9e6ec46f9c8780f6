package io.dshm.client.cli;

import io.dshm.proto.Command;
import io.dshm.proto.Reply;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code dshm keys}: one page after the other, so that no region is too large. */
final class KeyList {

    private static final int PAGE_KEYS = 1024;
    private static final long VERSION_MAX = 999_999_999_999_999_999L;

    private KeyList() {}

    /** Lists the keys. */
    static ExitCode run(Arguments arguments, Session session) throws CliException {
        byte[] region = arguments.region(0);
        long left = arguments.count("--max", Long.MAX_VALUE, Long.MAX_VALUE);
        long after = arguments.count("--after", 0, VERSION_MAX);
        while (left > 0) {
            int max = (int) Math.min(PAGE_KEYS, left);
            Reply reply = session.call(new Command.Keys(region, max, after, arguments.readMode()));
            left -= show(Replies.bytes(reply), session.output());
            String next = reply instanceof Reply.Detailed detailed ? detailed.detail("next") : null;
            // Nobody reads on where the output is a pipe that was closed.
            if (next == null || session.output().out().checkError()) {
                break;
            }
            after = Long.parseLong(next);
        }
        return ExitCode.OK;
    }

    private static int show(byte[] page, Output output) {
        int keys = 0;
        int from = 0;
        for (int to = 0; to < page.length; to++) {
            if (page[to] == '\n') {
                byte[] key = Arrays.copyOfRange(page, from, to);
                if (output.isJson()) {
                    Map<String, Object> members = new LinkedHashMap<>();
                    Output.putBytes(members, "key", key);
                    output.object(members);
                } else {
                    output.bytesAndLineEnd(key);
                }
                keys++;
                from = to + 1;
            }
        }
        return keys;
    }
}
