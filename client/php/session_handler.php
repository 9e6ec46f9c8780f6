<?php

/**
 * Keeps PHP's sessions in a DSHM cluster. Include it before a session is started, or name it in php.ini:
 *
 *   auto_prepend_file = /opt/dshm/php/session_handler.php
 *
 * Each setting is a constant that is defined before, or an environment variable:
 *
 *   SESSION_HANDLER_HOST            one host, or several: "127.0.0.1,10.0.0.2,10.0.0.3:1043" (localhost)
 *   SESSION_HANDLER_TIMEOUT         seconds, for a connection and for each wait on it (10)
 *   SESSION_HANDLER_LOCK_SECONDS    above 0: a session is locked while a request uses it, for at most this long (0)
 *   SESSION_HANDLER_LOCK_WAIT       seconds that a request waits for the lock (30)
 *   SESSION_HANDLER_LOCK_HOST       for locking: the same nodes in the same order, with their ports of the DSHM text
 *                                   protocol (the same hosts, port 4321)
 *   SESSION_HANDLER_LOCK_USER       for locking, where the cluster requires a user: who may write in sharedance-leases,
 *   SESSION_HANDLER_LOCK_SECRET_FILE  and the file with its secret
 *   SESSION_HANDLER_LOCK_CA         for locking with TLS: the file with the authorities that are believed
 *   SESSION_HANDLER_LOCK_SERVER_NAME  and what the nodes' certificates are for (the host that is connected to)
 */

declare(strict_types=1);

use Dshm\Sharedance\Client;
use Dshm\Sharedance\Hosts;
use Dshm\Sharedance\Lease;
use Dshm\Sharedance\SessionHandler;
use Dshm\Sharedance\Tls;

require_once __DIR__ . '/sharedance.php';

(static function (): void {
    $setting = static function (string $name, string $default): string {
        $value = defined("SESSION_HANDLER_$name") ? constant("SESSION_HANDLER_$name") : getenv("SESSION_HANDLER_$name");
        return $value === false ? $default : (string) $value;
    };
    $hosts = $setting('HOST', 'localhost');
    $timeout = (float) $setting('TIMEOUT', (string) Client::DEFAULT_TIMEOUT);
    // Rounded up: a fraction of a second must not turn the lock off.
    $lockSeconds = (int) ceil((float) $setting('LOCK_SECONDS', '0'));
    $lockHosts = $setting('LOCK_HOST', '');
    // An error names the setting, because that is what an administrator knows.
    $named = static function (string $setting, \Closure $make): mixed {
        try {
            return $make();
        } catch (\InvalidArgumentException $e) {
            throw new \InvalidArgumentException("SESSION_HANDLER_$setting: " . $e->getMessage(), 0, $e);
        }
    };
    $nodes = $named('HOST', static fn (): Hosts => new Hosts($hosts, Client::DEFAULT_PORT));
    $lease = null;
    if ($lockSeconds > 0) {
        $lockNodes = $lockHosts === ''
            ? $nodes->withPort(Lease::DEFAULT_PORT)
            : $named('LOCK_HOST', static fn (): Hosts => new Hosts($lockHosts, Lease::DEFAULT_PORT));
        $lockUser = $setting('LOCK_USER', '');
        $secretFile = $setting('LOCK_SECRET_FILE', '');
        if ($lockUser !== '' || $secretFile !== '') {
            $lockNodes = $named('LOCK_USER', static function () use ($lockNodes, $lockUser, $secretFile): Hosts {
                $secret = is_readable($secretFile) ? (string) file_get_contents($secretFile) : '';
                return $lockNodes->as($lockUser, (string) preg_replace('/\r?\n\z/', '', $secret));
            });
        }
        $lockCa = $setting('LOCK_CA', '');
        $lockName = $setting('LOCK_SERVER_NAME', '');
        if ($lockCa !== '' || $lockName !== '') {
            $lockNodes = $lockNodes->over($named('LOCK_CA', static fn (): Tls => new Tls($lockCa, $lockName)));
        }
        $lease = $named('LOCK_SECONDS', static fn (): Lease => new Lease($lockNodes, $lockSeconds, $timeout));
    }
    $client = new Client($hosts, Client::DEFAULT_PORT, $timeout);
    (new SessionHandler($client, $lease, (float) $setting('LOCK_WAIT', '30')))->register();
})();
