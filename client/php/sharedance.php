<?php

/**
 * The functions of Sharedance's PHP client, for programs that call them; new ones use Dshm\Sharedance\Client.
 *
 *   sharedance_open($host, $port, $timeout)   0, or -1 if it cannot be reached
 *   sharedance_close()
 *   sharedance_store($key, $data)             0, or -1
 *   sharedance_fetch($key)                    the data, or false
 *   sharedance_delete($key)                   0, or -1 if there was nothing
 *
 * $host may name several, "10.0.0.1,10.0.0.2:1043": when one does not answer, the next one is asked.
 */

declare(strict_types=1);

namespace Dshm\Sharedance\Functions {

    use Dshm\Sharedance\Client;

    // Composer loads the classes itself.
    if (!class_exists(Client::class)) {
        spl_autoload_register(static function (string $class): void {
            $file = __DIR__ . '/src/' . substr($class, strlen('Dshm\\Sharedance\\')) . '.php';
            if (str_starts_with($class, 'Dshm\\Sharedance\\') && is_file($file)) {
                require $file;
            }
        });
    }

    /** What sharedance_open has set up; null before. */
    function client(?Client $opened = null): ?Client
    {
        static $client = null;
        return $client = $opened ?? $client;
    }

    /**
     * What comes of asking, or the other thing if nothing does.
     *
     * @template T
     * @param callable(Client): T $ask
     * @param T $otherwise
     * @return T
     */
    function ask(callable $ask, mixed $otherwise): mixed
    {
        $client = client();
        if ($client === null) {
            return $otherwise;
        }
        try {
            return $ask($client);
        } catch (\Dshm\Sharedance\UnavailableException | \InvalidArgumentException) {
            return $otherwise;
        }
    }
}

namespace {

    use Dshm\Sharedance\Client;
    use Dshm\Sharedance\Functions;

    defined('SHAREDANCE_DEFAULT_PORT') || define('SHAREDANCE_DEFAULT_PORT', Client::DEFAULT_PORT);
    defined('SHAREDANCE_DEFAULT_TIMEOUT') || define('SHAREDANCE_DEFAULT_TIMEOUT', (int) Client::DEFAULT_TIMEOUT);

    if (!function_exists('sharedance_open')) {
        function sharedance_open(
            $host,
            $port = SHAREDANCE_DEFAULT_PORT,
            $timeout = SHAREDANCE_DEFAULT_TIMEOUT
        ): int {
            try {
                $client = new Client((string) $host, (int) $port, (float) $timeout);
                $client->open();
            } catch (\Dshm\Sharedance\UnavailableException | \InvalidArgumentException) {
                return -1;
            }
            Functions\client()?->close();
            Functions\client($client);
            return 0;
        }

        function sharedance_close(): void
        {
            Functions\client()?->close();
        }

        function sharedance_store($key, $data): int
        {
            return Functions\ask(function (Client $client) use ($key, $data): int {
                $client->store((string) $key, (string) $data);
                return 0;
            }, -1);
        }

        /** @return string|false */
        function sharedance_fetch($key)
        {
            return Functions\ask(fn (Client $client) => $client->fetch((string) $key) ?? false, false);
        }

        function sharedance_delete($key): int
        {
            return Functions\ask(fn (Client $client) => $client->delete((string) $key) ? 0 : -1, -1);
        }
    }
}
