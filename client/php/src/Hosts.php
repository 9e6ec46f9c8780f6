<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/** The nodes of a cluster, any of which may be asked. The one that answered last is asked first. */
final class Hosts
{
    /** @var non-empty-list<array{string, int}> names or addresses, and ports */
    private array $all;

    /** What each connection begins with; nothing if it is empty. */
    private string $auth = '';

    private ?Tls $tls = null;

    private int $current = 0;

    /**
     * @param string|array<string> $hosts names or addresses, each with a port of its own if it likes: "a", "a:1043",
     *     "[::1]:1042"; in a list, or in a string with commas or spaces in between
     * @param int $port for those without
     * @throws \InvalidArgumentException if there is none, or one is of another form
     */
    public function __construct(string|array $hosts, int $port)
    {
        $all = [];
        $names = preg_split('/[\s,]+/', is_array($hosts) ? implode(',', $hosts) : $hosts, -1, PREG_SPLIT_NO_EMPTY);
        foreach ($names === false ? [] : $names as $name) {
            if (preg_match('/^(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?$/D', $name, $parts) !== 1) {
                throw new \InvalidArgumentException("\"$name\" is no host, nor host:port");
            }
            $all[] = [$parts[1], isset($parts[2]) ? (int) $parts[2] : $port];
        }
        if ($all === []) {
            throw new \InvalidArgumentException('it names no host');
        }
        $this->all = $all;
    }

    /** The same hosts, all with this port. */
    public function withPort(int $port): self
    {
        return new self(array_column($this->all, 0), $port);
    }

    /**
     * The same hosts, for the DSHM text protocol: each connection begins with AUTH.
     *
     * @param string $user of the cluster; both may have any bytes
     * @throws \InvalidArgumentException if one of them is empty
     */
    public function as(string $user, #[\SensitiveParameter] string $secret): self
    {
        if ($user === '' || $secret === '') {
            throw new \InvalidArgumentException('a user and its secret come together');
        }
        $same = clone $this;
        $same->auth = 'AUTH ' . rawurlencode($user) . ' ' . rawurlencode($secret) . "\r\n";
        return $same;
    }

    /** The same hosts, connected to with TLS; null: without. */
    public function over(?Tls $tls): self
    {
        $same = clone $this;
        $same->tls = $tls;
        return $same;
    }

    /** What is printed of them: no secret. */
    public function __debugInfo(): array
    {
        return ['hosts' => $this->all, 'user' => $this->auth !== ''];
    }

    /** Which host, counted from 0, is asked now. */
    public function position(): int
    {
        return $this->current;
    }

    /** Has that host asked next, counted from 0. */
    public function moveTo(int $position): void
    {
        $this->current = $position % count($this->all);
    }

    /**
     * Connects to the host that is to be asked now.
     *
     * @throws UnavailableException if it cannot be reached within the timeout
     */
    public function connect(float $timeout): Stream
    {
        [$host, $port] = $this->all[$this->current];
        $stream = Stream::connect($host, $port, $timeout, $this->tls);
        if ($this->auth !== '') {
            $stream->send($this->auth);
            $line = $stream->readLine();
            if ($line !== 'DONE') {
                $stream->close();
                throw new UnavailableException("$host, AUTH: $line");
            }
        }
        return $stream;
    }

    /**
     * Asks one host after the other until one answers.
     *
     * @template T
     * @param callable(): T $ask asks the host that {@see connect} connects to; may be called again for the next one
     * @return T
     * @throws UnavailableException what the first host said, if none answers
     */
    public function firstAnswer(callable $ask): mixed
    {
        $first = null;
        for ($i = 0; $i < count($this->all); $i++) {
            try {
                return $ask();
            } catch (UnavailableException $e) {
                $first ??= $e;
                $this->current = ($this->current + 1) % count($this->all);
            }
        }
        throw $first ?? new \LogicException('there is no host');
    }
}
