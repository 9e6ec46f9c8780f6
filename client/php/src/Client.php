<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/**
 * Stores, fetches and deletes data under keys. When a host does not answer, the next one is asked: what was stored
 * through one node of a cluster is there on all of them.
 *
 * A command whose outcome is unknown, because the connection broke before the answer, is sent again: stored twice is
 * stored, and deleted twice is deleted.
 */
final class Client
{
    public const DEFAULT_PORT = 1042;
    public const DEFAULT_TIMEOUT = 10.0;
    public const KEY_BYTES_MAX = 21841;

    /** What a server takes by default, and at most. */
    public const DATA_BYTES_MAX = 33554432;

    private Hosts $hosts;
    private ?Stream $opened = null;

    /**
     * Does not connect yet.
     *
     * @param string|array<string> $hosts one, or several, see {@see Hosts}
     * @param float $timeout seconds, for a connection and for each wait on it
     */
    public function __construct(
        string|array $hosts,
        int $port = self::DEFAULT_PORT,
        private float $timeout = self::DEFAULT_TIMEOUT
    ) {
        $this->hosts = new Hosts($hosts, $port);
    }

    /**
     * Connects now, for the next command to come: so that it is known early whether any host can be reached.
     *
     * @throws UnavailableException if none can
     */
    public function open(): void
    {
        $this->opened ??= $this->hosts->firstAnswer(fn () => $this->hosts->connect($this->timeout));
    }

    /** Ends a connection that {@see open} has opened. The next command opens another one. */
    public function close(): void
    {
        $this->opened?->close();
        $this->opened = null;
    }

    /** Has that host asked next, counted from 0. */
    public function askFirst(int $position): void
    {
        $this->hosts->moveTo($position);
    }

    /** Whether this is a key: 1 to 21,841 bytes of printable ASCII without "." and "/". */
    public static function isKey(string $key): bool
    {
        return strlen($key) <= self::KEY_BYTES_MAX && preg_match('#^(?:(?![./])[ -~])+$#D', $key) === 1;
    }

    /**
     * Stores data under a key. On return it is on the disks of a majority of the cluster's nodes.
     *
     * @throws \InvalidArgumentException if the key is none, or the data too long
     * @throws UnavailableException if no host stored it
     */
    public function store(string $key, string $data): void
    {
        if (strlen($data) > self::DATA_BYTES_MAX) {
            throw new \InvalidArgumentException(strlen($data) . ' bytes are more than ' . self::DATA_BYTES_MAX);
        }
        $head = $this->head('S', $key, pack('N', strlen($data)));
        $this->ask(function (Stream $stream) use ($head, $data): bool {
            $stream->send($head, $data);
            if ($stream->readToEnd() !== "OK\n") {
                throw new UnavailableException('it was not stored');
            }
            return true;
        });
    }

    /**
     * The data under a key; null if there is none, or it is empty.
     *
     * @throws \InvalidArgumentException if the key is none
     * @throws UnavailableException if no host answered
     */
    public function fetch(string $key): ?string
    {
        $data = $this->askTwice($this->head('F', $key));
        return $data === '' ? null : $data;
    }

    /**
     * Deletes what is under a key; false if there was nothing.
     *
     * @throws \InvalidArgumentException if the key is none
     * @throws UnavailableException if no host answered
     */
    public function delete(string $key): bool
    {
        return $this->askTwice($this->head('D', $key)) === "OK\n";
    }

    /**
     * What is replied. A connection that ends without a reply says that nothing is there; but so does that of a server
     * that was killed just then. So this is believed when it is said twice.
     */
    private function askTwice(string $request): string
    {
        $exchange = static function (Stream $stream) use ($request): string {
            $stream->send($request);
            return $stream->readToEnd();
        };
        $reply = $this->ask($exchange);
        return $reply === '' ? $this->ask($exchange) : $reply;
    }

    private function head(string $verb, string $key, string $dataLength = ''): string
    {
        if (!self::isKey($key)) {
            throw new \InvalidArgumentException('a key is 1 to 21,841 bytes of printable ASCII without "." and "/"');
        }
        return $verb . pack('N', strlen($key)) . $dataLength . $key;
    }

    /**
     * @template T
     * @param callable(Stream): T $exchange
     * @return T
     */
    private function ask(callable $exchange): mixed
    {
        $opened = $this->opened;
        $this->opened = null;
        if ($opened !== null) {
            try {
                return $this->exchange($opened, $exchange);
            } catch (UnavailableException) {
                // It may have been open for too long: the same host is asked once more.
            }
        }
        return $this->hosts->firstAnswer(fn () => $this->exchange($this->hosts->connect($this->timeout), $exchange));
    }

    /**
     * @template T
     * @param callable(Stream): T $exchange
     * @return T
     */
    private function exchange(Stream $stream, callable $exchange): mixed
    {
        try {
            return $exchange($stream);
        } finally {
            $stream->close();
        }
    }
}
