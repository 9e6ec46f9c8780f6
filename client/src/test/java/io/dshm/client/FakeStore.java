package io.dshm.client;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What all fake nodes of a test share: some values, and the outcomes of identified writes, which take effect once. */
final class FakeStore {

    private final Map<Key, byte[]> values = new HashMap<>();
    private final Map<String, Reply> outcomes = new HashMap<>();
    private final Set<Long> clients = new HashSet<>();
    private int repeats;

    synchronized Reply apply(Command command) {
        if (!(command instanceof Command.Identified identified)) {
            return plain(command);
        }
        String identity = identified.client() + " " + identified.sequence();
        Reply before = outcomes.get(identity);
        if (before != null) {
            // The first copy may come last, from a connection that its client has given up.
            repeats++;
            return before;
        }
        if (identified.sequence() > 1 && !clients.contains(identified.client())) {
            throw new AssertionError("an identity that was not made known: " + identified);
        }
        if (identified.done() > identified.sequence()) {
            throw new AssertionError("done is above seq: " + identified);
        }
        clients.add(identified.client());
        Reply reply = plain(identified.write());
        outcomes.put(identity, reply);
        return reply;
    }

    private Reply plain(Command command) {
        if (command instanceof Command.Get get) {
            byte[] value = values.get(get.key());
            return value == null ? Reply.Failure.NOT_FOUND : new Reply.Value(value);
        } else if (command instanceof Command.Set set) {
            values.put(set.key(), set.value());
            return new Reply.Value(set.value());
        } else if (command instanceof Command.Incr incr) {
            long sum = count(incr.key()) + incr.by();
            values.put(incr.key(), Long.toString(sum).getBytes(US_ASCII));
            return new Reply.IntegerValue(sum);
        } else if (command == Command.Info.INFO) {
            return new Reply.Detailed(null, "protocol=2 node=fake leader=fake");
        }
        return Reply.Done.DONE;
    }

    synchronized long count(Key key) {
        byte[] value = values.get(key);
        return value == null ? 0 : Long.parseLong(new String(value, US_ASCII));
    }

    /** How many copies came of writes that had taken effect. */
    synchronized int repeats() {
        return repeats;
    }
}
