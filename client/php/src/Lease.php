<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/**
 * A lock that ends by itself: one holder at a time, for a limited time, by the cluster's clock. For locks that requests
 * of a web site take and give back; one object holds at most one lease.
 *
 * How it works: the Sharedance protocol has no lock, but the same store is reached through the DSHM text protocol,
 * whose "INCR key 0 token seconds" sets a key to a random token if it is absent, lets it live so many seconds, and
 * replies what the key holds. That is one entry of the cluster's log, so of any number that ask at once exactly one
 * gets its own token back; it may be asked again, through any node, when the outcome is unknown; and it does not
 * prolong anybody's lease.
 *
 * What the lease protects is read from a node's own store, which may be a moment behind the log. So "GET key" follows
 * in the same breath: a node that has acknowledged a write replies to a read of its key only when its store has come as
 * far as that. Whoever has got the lease and then reads at the same node, see {@see position}, misses nothing that an
 * earlier holder has stored through any node.
 *
 * To give back is to delete the key, which must not hit the next holder. So a lease is given back only while it has
 * time left for that, counted from before it was asked for, which is earlier than the cluster counts from. With less,
 * it is left to end by itself. The same holds for what the lease protects: see {@see secure}.
 */
final class Lease
{
    public const DEFAULT_PORT = 4321;

    /**
     * What a lease must have left for a command under its protection, in seconds: a node gives a command up after five,
     * at default settings.
     */
    public const MARGIN = 10.0;

    private const FIRST_PAUSE = 0.005;
    private const LONGEST_PAUSE = 0.1;

    private ?Stream $stream = null;
    private ?string $key = null;
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
            $asked = ($this->now)();
            if ($this->command("INCR $key 0 $token {$this->seconds}", "GET $key") === [$token, $token]) {
                $this->key = $key;
                $this->heldUntil = $asked + $this->seconds;
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
        $asked = ($this->now)();
        if ($asked + self::MARGIN < $this->heldUntil) {
            return true;
        }
        if ($asked < $this->heldUntil) {
            $this->command("TOUCH {$this->key} {$this->seconds}");
            if (($this->now)() < $this->heldUntil) {
                $this->heldUntil = $asked + $this->seconds;
                return true;
            }
        }
        return false;
    }

    /** Gives the lease back, if one is held that has not ended. Never fails: what is not given back ends by itself. */
    public function release(): void
    {
        $key = $this->key;
        $this->key = null;
        if ($key !== null && ($this->now)() + self::MARGIN < $this->heldUntil) {
            try {
                $this->command("DELETE $key");
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
     * The values or words that one host replies to all of these commands, which may be sent again.
     *
     * @return list<string>
     */
    private function command(string ...$lines): array
    {
        return $this->hosts->firstAnswer(function () use ($lines): array {
            try {
                $stream = $this->stream ??= $this->hosts->connect($this->timeout);
                $stream->send(implode("\r\n", $lines) . "\r\n");
                return array_map(fn () => $this->readReply($stream), array_values($lines));
            } catch (UnavailableException $e) {
                $this->disconnect();
                throw $e;
            }
        });
    }

    private function readReply(Stream $stream): string
    {
        $line = $stream->readLine();
        if ($line === 'DONE' || $line === 'ERROR not_found') {
            return $line;
        }
        if (preg_match('/^LEN ([0-9]{1,9})$/D', $line, $length) !== 1) {
            throw new UnavailableException("the lease: $line");
        }
        $value = $stream->readExactly((int) $length[1]);
        if ($stream->readExactly(8) !== "\r\nDONE\r\n") {
            throw new UnavailableException('the lease: not a reply');
        }
        return $value;
    }

    private function disconnect(): void
    {
        $this->stream?->close();
        $this->stream = null;
    }
}
