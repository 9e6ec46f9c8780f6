<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/**
 * A lock that ends by itself: one holder at a time, for a limited time, by the cluster's clock. For locks that requests
 * of a web site take and give back; one object holds at most one lease.
 *
 * How it works: the Sharedance protocol has no lock, but the same store is reached through the DSHM text protocol. A
 * lease is an entry that holds a random token. "PUT key seconds length if=absent" makes it if there is none, and
 * "PUT ... if=VERSION" prolongs it if it is still the same. Each is one entry of the cluster's log, so of any number
 * that ask at once exactly one gets it, and none prolongs anybody else's lease.
 *
 * "FETCH key" follows in the same breath, and its reply decides: whoever finds the own token there has the lease, in
 * the version that the reply names, for the time that it names. So a PUT whose reply was lost may be sent again,
 * through any node.
 *
 * What the lease protects is read from a node's own store, which may be a moment behind the log; but a node that has
 * acknowledged a write replies to a read of its key only when its store has come as far as that. Whoever has got the
 * lease and then reads at the same node, see {@see position}, misses nothing that an earlier holder has stored through
 * any node.
 *
 * To give back is "REMOVE key if=VERSION": it may be sent again too, however late it arrives, because the next holder's
 * lease has another version.
 *
 * What the lease protects has no such condition. So it is written only while the lease has time left for that, counted
 * from before the lease was asked for, which is earlier than the cluster counts from: see {@see secure}.
 */
final class Lease
{
    public const DEFAULT_PORT = 4321;

    /**
     * What a lease must have left for a command under its protection, in seconds: a node gives a command up after five,
     * at default settings.
     */
    public const MARGIN = 10.0;

    /** The second one is needed if somebody else has touched the entry, and so changed its version. */
    private const PROLONG_ATTEMPTS = 3;

    private const FIRST_PAUSE = 0.005;
    private const LONGEST_PAUSE = 0.1;

    private ?Stream $stream = null;
    private ?string $key = null;
    private string $token = '';
    private string $version = '';
    private float $heldUntil = 0.0;

    /** @var \Closure(): float */
    private \Closure $now;

    /**
     * Does not connect yet.
     *
     * @param Hosts $hosts with the ports of the text protocol
     * @param int $seconds how long a lease lasts; more than twice the margin
     * @param float $timeout seconds, for a connection and for each wait on it
     * @param ?\Closure(): float $now seconds by a clock that nobody sets; null: the machine's
     * @throws \InvalidArgumentException if the lease would be too short
     */
    public function __construct(
        private Hosts $hosts,
        private int $seconds,
        private float $timeout,
        ?\Closure $now = null
    ) {
        $this->now = $now ?? static fn (): float => hrtime(true) / 1e9;
        if ($seconds <= 2 * self::MARGIN) {
            throw new \InvalidArgumentException('a lease lasts more than ' . 2 * self::MARGIN . ' seconds');
        }
    }

    /**
     * Takes the lease of that name, when nobody holds it any more. Whatever was held before is given back.
     *
     * @param float $wait seconds to wait for it
     * @return bool false if somebody else has held it all the time
     * @throws UnavailableException if no host answers
     */
    public function acquire(string $name, float $wait): bool
    {
        $this->release();
        $key = 'sharedance-leases::' . rawurlencode($name);
        $token = (string) random_int(1, PHP_INT_MAX);
        $pause = self::FIRST_PAUSE;
        $giveUp = ($this->now)() + $wait;
        while (true) {
            if ($this->put($key, $token, 'absent')) {
                return true;
            }
            if (($this->now)() >= $giveUp) {
                return false;
            }
            // Not all at the same moment.
            usleep((int) ($pause * random_int(500_000, 1_000_000)));
            $pause = min(2 * $pause, self::LONGEST_PAUSE);
        }
    }

    /**
     * Makes sure that the lease outlasts a command that is sent now, and prolongs it if need be. A request that works
     * for longer than a lease calls this now and then.
     *
     * @return bool false if it may have ended: then what it protects may have changed
     * @throws UnavailableException if no host answers
     */
    public function secure(): bool
    {
        if ($this->key === null) {
            return false;
        }
        for ($attempt = 0; $attempt < self::PROLONG_ATTEMPTS; $attempt++) {
            $now = ($this->now)();
            if ($now + self::MARGIN < $this->heldUntil) {
                return true;
            }
            if ($now >= $this->heldUntil || !$this->put($this->key, $this->token, $this->version)) {
                return false;
            }
        }
        return false;
    }

    /** Makes or prolongs the lease if the entry is as the condition says. True if it is ours now. */
    private function put(string $key, string $token, string $condition): bool
    {
        $asked = ($this->now)();
        $length = strlen($token);
        [, $found] = $this->command(
            "PUT $key {$this->seconds} $length type=raw if=$condition\r\n$token",
            "FETCH $key\r\n"
        );
        if (($found['value'] ?? null) !== $token) {
            return false;
        }
        // Less than all of it if a copy of the request came before this one.
        $millis = min((int) ($found['ttl'] ?? 0), 1000 * $this->seconds);
        $this->key = $key;
        $this->token = $token;
        $this->version = $found['version'] ?? '';
        $this->heldUntil = $asked + $millis / 1000;
        return true;
    }

    /** Gives the lease back, if one is held. Never fails: what is not given back ends by itself. */
    public function release(): void
    {
        $key = $this->key;
        $this->key = null;
        if ($key !== null) {
            try {
                $this->command("REMOVE $key if={$this->version}\r\n");
            } catch (UnavailableException) {
                // It ends by itself.
            }
        }
        $this->disconnect();
    }

    /** Which host, counted from 0, has answered last. */
    public function position(): int
    {
        return $this->hosts->position();
    }

    /**
     * The replies of one host to all of these requests, which may be sent again.
     *
     * @return list<array<string, string>> as of {@see readReply}
     */
    private function command(string ...$requests): array
    {
        return $this->hosts->firstAnswer(function () use ($requests): array {
            try {
                $stream = $this->stream ??= $this->hosts->connect($this->timeout);
                $stream->send(implode('', $requests));
                return array_map(fn () => $this->readReply($stream), array_values($requests));
            } catch (UnavailableException $e) {
                $this->disconnect();
                throw $e;
            }
        });
    }

    /** @return array<string, string> the words of the reply's first line, "version" for instance, and "value" */
    private function readReply(Stream $stream): array
    {
        $line = $stream->readLine();
        preg_match_all('/ ([a-z]+)=([^ ]*)/', $line, $words);
        $reply = array_combine($words[1], $words[2]);
        // "exists" and "not_found": the condition does not hold, or there is none.
        if (preg_match('/^(DONE|ERROR exists|ERROR not_found)( |$)/D', $line) === 1) {
            return $reply;
        }
        if (preg_match('/^LEN ([0-9]{1,9})( |$)/D', $line, $length) !== 1) {
            throw new UnavailableException("the lease: $line");
        }
        $reply['value'] = $stream->readExactly((int) $length[1]);
        if ($stream->readExactly(8) !== "\r\nDONE\r\n") {
            throw new UnavailableException('the lease: not a reply');
        }
        return $reply;
    }

    private function disconnect(): void
    {
        $this->stream?->close();
        $this->stream = null;
    }
}
