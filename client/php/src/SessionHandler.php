<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/**
 * Keeps PHP's sessions in the cluster, where all web servers find them.
 *
 * How long a session lives is the server's matter (sharedance-expiration-seconds), and each request that uses it keeps
 * it alive; session.gc_maxlifetime and the settings of PHP's garbage collector have no meaning here.
 *
 * Without a lease, of two requests of one session at the same time the last one to end wins. With one, they take turns,
 * as with PHP's own files.
 */
final class SessionHandler implements
    \SessionHandlerInterface,
    \SessionIdInterface,
    \SessionUpdateTimestampHandlerInterface
{
    /** @var array<string, string> what validateId has found, for the read that follows it */
    private array $found = [];

    /**
     * @param ?Lease $lease what lets requests of one session take turns, at the same nodes in the same order as the
     *     client's; null: they do not
     * @param float $wait seconds that a request waits for its turn
     */
    public function __construct(private Client $client, private ?Lease $lease = null, private float $wait = 30.0)
    {
    }

    /** Makes this PHP's session handler. */
    public function register(): void
    {
        session_set_save_handler($this, true);
    }

    public function open(string $path, string $name): bool
    {
        return true;
    }

    public function close(): bool
    {
        $this->lease?->release();
        $this->client->close();
        return true;
    }

    // phpcs:ignore PSR1.Methods.CamelCapsMethodName -- the name that PHP asks for
    public function create_sid(): string
    {
        $id = session_create_id();
        if ($id === false) {
            throw new \RuntimeException('PHP makes no session id');
        }
        return $id;
    }

    /**
     * In strict mode, PHP replaces an id for which this is false. So when no host answers it is true: nobody is to lose
     * a session because of that, and the read that follows says what is wrong.
     */
    public function validateId(string $id): bool
    {
        if (!Client::isKey($id)) {
            return false;
        }
        try {
            $data = $this->client->fetch($id);
            $this->found = $data === null ? [] : [$id => $data];
            return $data !== null;
        } catch (UnavailableException) {
            return true;
        }
    }

    public function read(string $id): string|false
    {
        return $this->attempt('read', function () use ($id): string {
            if (!Client::isKey($id)) {
                throw new \InvalidArgumentException('its id is none');
            }
            $found = $this->found[$id] ?? null;
            $this->found = [];
            if ($this->lease !== null) {
                // What was found before it was our turn may have changed since.
                $found = null;
                if (!$this->lease->acquire($id, $this->wait)) {
                    throw new UnavailableException("another request has held it for {$this->wait} s");
                }
                $this->client->askFirst($this->lease->position());
            }
            return $found ?? $this->client->fetch($id) ?? '';
        });
    }

    public function write(string $id, string $data): bool
    {
        return $this->attempt('write', function () use ($id, $data): bool {
            $this->secureLease();
            $this->client->store($id, $data);
            return true;
        });
    }

    /**
     * Keeps a session alive that has not changed. Without a lease, another request may have changed it meanwhile, or
     * ended it: so what is stored again is what is there, and nothing if nothing is there.
     */
    public function updateTimestamp(string $id, string $data): bool
    {
        return $this->attempt('write', function () use ($id, $data): bool {
            $this->secureLease();
            $current = $this->lease !== null ? $data : $this->client->fetch($id) ?? '';
            if ($current !== '') {
                $this->client->store($id, $current);
            }
            return true;
        });
    }

    public function destroy(string $id): bool
    {
        return $this->attempt('destroy', function () use ($id): bool {
            $this->secureLease();
            $this->client->delete($id);
            return true;
        });
    }

    /** The server purges what has expired. */
    public function gc(int $max_lifetime): int|false
    {
        return 0;
    }

    private function secureLease(): void
    {
        if ($this->lease !== null && !$this->lease->secure()) {
            throw new UnavailableException('the request took longer than its lease, and others may have changed it');
        }
    }

    /**
     * @template T
     * @param callable(): T $do
     * @return T|false
     */
    private function attempt(string $what, callable $do): mixed
    {
        try {
            return $do();
        } catch (UnavailableException | \InvalidArgumentException $e) {
            trigger_error("Sharedance: cannot $what the session: {$e->getMessage()}", E_USER_WARNING);
            return false;
        }
    }
}
