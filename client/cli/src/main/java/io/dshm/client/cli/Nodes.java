package io.dshm.client.cli;

import io.dshm.client.ClientTls;
import io.dshm.client.CommandFailedException;
import io.dshm.client.DshmConnection;
import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Introduction;
import io.dshm.proto.Reply;
import java.io.Closeable;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a cluster, one of which is asked, and another one where that one does not answer. Not thread-safe.
 *
 * <p>A write has an identity of this process, so that it can be sent again after a connection that broke: the cluster
 * lets it take effect once. What cannot have one is sent again only where it is known not to have taken effect.
 */
final class Nodes implements Closeable {

    private static final long CLIENT_END = 1_000_000_000_000_000_000L;
    private static final Duration CONNECT_TIMEOUT_MAX = Duration.ofSeconds(2);
    private static final long PAUSE_MILLIS = 100;

    /** The cluster forgets an identity 20 minutes after its last write. */
    private static final Duration KNOWN = Duration.ofMinutes(10);

    private final SecureRandom random = new SecureRandom();

    private final List<Endpoint> endpoints;
    private final @Nullable ClientTls tls;
    private final @Nullable Login login;
    private final Duration timeout;

    private long client;
    private long sequence;

    /** When the cluster was last known to know {@link #client}, by {@link System#nanoTime}; null if it does not. */
    private @Nullable Long knownAtNanos;

    private int current;
    private @Nullable DshmConnection connection;

    /**
     * Connects to nobody yet.
     *
     * @param tls null for plain connections
     * @param login who says AUTH on each connection; null: nobody
     * @param timeout how long a command may take, with all its repeats
     */
    Nodes(List<Endpoint> endpoints, @Nullable ClientTls tls, @Nullable Login login, Duration timeout) {
        this.endpoints = endpoints;
        this.tls = tls;
        this.login = login;
        this.timeout = timeout;
    }

    /** A command that is under way. */
    private final class Attempt {
        final Command command;
        final boolean identified;
        final boolean repeatable;
        final long deadline = System.nanoTime() + timeout.toNanos();
        /** What went wrong last, by node. */
        final Map<Endpoint, String> troubles = new LinkedHashMap<>();
        /** Of the last node that answered with an error; null if none did. */
        @Nullable
        ErrorCode lastCode;
        /** Whether there is a node that may do it, now or soon: one that listens, and does not refuse this client. */
        boolean reached;
        /** Whether it has its number, so that a copy may have been sent. */
        boolean numbered;
        /** Whether a copy may have taken effect. */
        boolean unknown;

        Attempt(Command command) {
            this.command = command;
            this.identified = command instanceof Command.Write
                    && !(command instanceof Command.FlushAll flush && flush.region().length == 0);
            this.repeatable = identified || !changes();
        }

        /** Whether this command's own copy, rather than the introduction, may have been sent now. */
        boolean mayHaveTakenEffect() {
            return changes() && (numbered || !identified);
        }

        boolean changes() {
            return command instanceof Command.Write || command instanceof Command.FlushExpired;
        }

        Command copy() {
            return identified && command instanceof Command.Write write
                    ? new Command.Identified(client, sequence, sequence, unknown, write)
                    : command;
        }

        Duration left() {
            return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
        }

        /** Whether it makes sense to ask once more. */
        boolean mayGoOn() {
            return !left().isZero() && (repeatable || !unknown);
        }
    }

    /**
     * Sends a command, and returns its reply; an error that another node would give, too, is one.
     *
     * @throws CliException if no node has done it in time
     */
    Reply call(Command command) throws CliException {
        Attempt attempt = new Attempt(command);
        while (true) {
            attempt.reached = false;
            for (int tried = 0; tried < endpoints.size() && attempt.mayGoOn(); tried++) {
                DshmConnection node = connect(attempt);
                if (node != null) {
                    Reply reply = ask(node, attempt);
                    if (reply != null) {
                        return reply;
                    }
                }
                current = (current + 1) % endpoints.size();
            }
            // Where all that listen refuse this client, or nobody listens, there is nothing to wait for, unless a copy
            // is under way.
            if (!attempt.mayGoOn() || (!attempt.reached && !attempt.unknown)) {
                throw failure(attempt);
            }
            pause();
        }
    }

    private @Nullable DshmConnection connect(Attempt attempt) throws CliException {
        DshmConnection open = connection;
        if (open != null) {
            attempt.reached = true;
            return open;
        }
        Endpoint endpoint = endpoints.get(current);
        try {
            Duration left = attempt.left();
            Duration connect = left.compareTo(CONNECT_TIMEOUT_MAX) < 0 ? left : CONNECT_TIMEOUT_MAX;
            open = DshmConnection.connect(
                    endpoint.resolve(), tls, atLeastOneMilli(connect), atLeastOneMilli(replyTimeout()));
            connection = open;
            Login who = login;
            if (who != null) {
                open.authenticate(who.user(), who.secret());
            }
            attempt.reached = true;
            return open;
        } catch (CommandFailedException e) {
            disconnect();
            attempt.troubles.put(endpoint, String.valueOf(e.getMessage()));
            attempt.lastCode = e.code();
            attempt.reached |= e.code().mayBeBetterElsewhere();
            return null;
        } catch (IOException e) {
            disconnect();
            attempt.troubles.put(endpoint, Reasons.of(e));
            return null;
        }
    }

    /**
     * Longer than a node takes to say that it timed out, so that its own words are heard; short enough to ask another
     * one.
     */
    private Duration replyTimeout() {
        return endpoints.size() == 1 ? timeout : timeout.multipliedBy(6).dividedBy(10);
    }

    private static Duration atLeastOneMilli(Duration duration) {
        return duration.toMillis() < 1 ? Duration.ofMillis(1) : duration;
    }

    /** The reply, or null if another node may have a better one. */
    private @Nullable Reply ask(DshmConnection node, Attempt attempt) throws CliException {
        Endpoint endpoint = endpoints.get(current);
        try {
            Reply refusal = attempt.identified && !attempt.numbered ? introduce(node, attempt) : null;
            Reply reply = refusal != null ? refusal : node.call(attempt.copy());
            if (!(reply instanceof Reply.Failure failure)) {
                return reply;
            }
            attempt.troubles.put(endpoint, Failures.text(failure));
            if (attempt.unknown && failure.code().isOfThisCopyOnly()) {
                throw failure(attempt);
            }
            if (!failure.code().mayBeBetterElsewhere()) {
                return reply;
            }
            attempt.lastCode = failure.code();
            attempt.unknown |= attempt.mayHaveTakenEffect() && failure.code().effect() == ErrorCode.Effect.UNKNOWN;
        } catch (IllegalArgumentException e) {
            throw CliException.usage(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            attempt.troubles.put(endpoint, Reasons.of(e));
            attempt.unknown |= attempt.mayHaveTakenEffect();
        }
        disconnect();
        return null;
    }

    /**
     * Makes the cluster know this process, by a write that changes nothing, and gives the command its number. Without
     * that, a repeat of the process's first write would be refused as one of a stranger if its first copy was lost with
     * a node.
     *
     * @return null, or the error that it got
     */
    private @Nullable Reply introduce(DshmConnection node, Attempt attempt) throws IOException {
        Long known = knownAtNanos;
        if (known == null || System.nanoTime() - known > KNOWN.toNanos()) {
            // A new one each time: nobody knows what became of the last introduction.
            knownAtNanos = null;
            client = random.nextLong(CLIENT_END);
            sequence = 1;
            Command.Write first = (Command.Write) attempt.command;
            Reply reply = node.call(Introduction.of(client, first, login != null));
            if (login == null && reply instanceof Reply.Failure failure && failure.code() == ErrorCode.DENIED) {
                // Who it is stands in its certificate.
                reply = node.call(Introduction.of(client, first, true));
            }
            if (reply instanceof Reply.Failure) {
                return reply;
            }
        }
        knownAtNanos = System.nanoTime();
        sequence++;
        attempt.numbered = true;
        return null;
    }

    private CliException failure(Attempt attempt) {
        String troubles = attempt.troubles.entrySet().stream()
                .map(trouble -> trouble.getKey() + ": " + trouble.getValue())
                .collect(Collectors.joining("\n  ", "\n  ", ""));
        if (attempt.unknown) {
            return new CliException(
                    ExitCode.UNKNOWN,
                    "unknown_outcome",
                    "outcome unknown: the write may have taken effect, or may still do so, once" + troubles
                            + "\nread the key before you decide whether to send it again");
        }
        ErrorCode code = attempt.lastCode;
        if (!attempt.reached && code != null && !code.mayBeBetterElsewhere()) {
            return new CliException(
                    ExitCode.REFUSED, code.wireName(), "no node accepts this client; nothing was changed" + troubles);
        }
        return new CliException(
                ExitCode.UNAVAILABLE,
                code == null ? "unavailable" : code.wireName(),
                "no node could do it; nothing was changed" + troubles + "\n"
                        + (code == null
                                ? "is a node running there? name others with --endpoints HOST:PORT,HOST:PORT"
                                : "try again; dshm status shows what the nodes are doing"));
    }

    private static void pause() throws CliException {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.UNKNOWN, "interrupted", "interrupted; the outcome is unknown");
        }
    }

    private void disconnect() {
        DshmConnection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // Nothing is outstanding on it, and it is not used again.
                return;
            }
        }
    }

    @Override
    public void close() {
        disconnect();
    }
}
