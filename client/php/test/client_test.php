<?php

/** The client and the old functions, against servers that do what the test says. */

declare(strict_types=1);

namespace Dshm\Sharedance\Test;

use Dshm\Sharedance\Client;
use Dshm\Sharedance\Hosts;
use Dshm\Sharedance\Lease;
use Dshm\Sharedance\SessionHandler;
use Dshm\Sharedance\UnavailableException;

require __DIR__ . '/support/tap.php';
require __DIR__ . '/support/ScriptedServer.php';
require __DIR__ . '/../sharedance.php';

/** A host on which nobody listens. */
function nobody(): string
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $name = stream_socket_get_name($socket, false);
    fclose($socket);
    return $name;
}

Tap::case('a key is 1 to 21,841 bytes of printable ASCII without dot and slash', static function (): void {
    for ($byte = 0; $byte < 256; $byte++) {
        $expected = $byte >= 32 && $byte <= 126 && $byte !== ord('.') && $byte !== ord('/');
        foreach (['%s', 'a%s', '%sz'] as $form) {
            Tap::same($expected, Client::isKey(sprintf($form, chr($byte))), "byte $byte");
        }
    }
    Tap::same(false, Client::isKey(''));
    Tap::same(true, Client::isKey(str_repeat('k', 21841)));
    Tap::same(false, Client::isKey(str_repeat('k', 21842)));
});

Tap::case('hosts are written in several ways', static function (): void {
    foreach (['a,b:7, [::1]:8', ['a', 'b:7', '[::1]:8'], "a\nb:7\t[::1]:8"] as $form) {
        Tap::same([['a', 1042], ['b', 7], ['[::1]', 8]], (fn () => $this->all)->call(new Hosts($form, 1042)));
    }
    foreach (['', ' , ', [], 'a:', 'a:b', '::1', 'a:1:2', 'a:123456'] as $form) {
        Tap::throws(\InvalidArgumentException::class, fn () => new Hosts($form, 1042));
    }
});

Tap::case('commands are the bytes of the protocol', static function (): void {
    $server = new ScriptedServer("reply=OK\n", 'reply=some data', "reply=OK\n");
    $client = new Client($server->host());
    $client->store('ab', "\0\r\n\xFF");
    Tap::same("S\0\0\0\x02\0\0\0\x04ab\0\r\n\xFF", $server->received());
    Tap::same('some data', $client->fetch('ab'));
    Tap::same("F\0\0\0\x02ab", $server->received());
    Tap::same(true, $client->delete('ab'));
    Tap::same("D\0\0\0\x02ab", $server->received());
});

Tap::case('closed in good order twice means that there is nothing', static function (): void {
    $server = new ScriptedServer('reply=', 'reply=', 'reply=', 'reply=');
    $client = new Client([$server->host(), nobody()]);
    Tap::same(null, $client->fetch('k'));
    Tap::same(false, $client->delete('k'));
});

Tap::case('closed once may be a server that was killed: another one is asked', static function (): void {
    $killed = new ScriptedServer('reply=');
    $server = new ScriptedServer('reply=v', "reply=OK\n");
    Tap::same('v', (new Client([$killed->host(), $server->host()]))->fetch('k'));
    $killed = new ScriptedServer('reply=');
    Tap::same(true, (new Client([$killed->host(), $server->host()]))->delete('k'));
});

Tap::case('when a host does not answer, the next one is asked, and remembered', static function (): void {
    foreach (['reset', 'drop', null] as $first) {
        $broken = $first === null ? null : new ScriptedServer($first);
        $server = new ScriptedServer("reply=v", "reply=OK\n");
        $client = new Client([$broken === null ? nobody() : $broken->host(), $server->host()]);
        Tap::same('v', $client->fetch('k'));
        $client->store('k', 'w');
    }
});

Tap::case('a reply that ends with a reset is not all of it: the next one is asked', static function (): void {
    $killed = new ScriptedServer('reset=half of i');
    $server = new ScriptedServer('reply=all of it');
    Tap::same('all of it', (new Client([$killed->host(), $server->host()]))->fetch('k'));
    $killed = new ScriptedServer('reset=half of i');
    Tap::throws(UnavailableException::class, fn () => (new Client($killed->host()))->fetch('k'));
});

Tap::case('when a host is silent, the next one is asked after the timeout', static function (): void {
    $silent = new ScriptedServer('hang');
    $server = new ScriptedServer("reply=OK\n");
    $began = microtime(true);
    (new Client([$silent->host(), $server->host()], 1042, 0.3))->store('k', 'v');
    $took = microtime(true) - $began;
    Tap::true($took >= 0.3 && $took < 5, "it took $took s");
});

Tap::case('a store without OK is tried on the next host, and fails if there is none', static function (): void {
    $refusing = new ScriptedServer('reply=', 'reply=OK');
    $server = new ScriptedServer("reply=OK\n");
    (new Client([$refusing->host(), $server->host()]))->store('k', 'v');
    Tap::throws(UnavailableException::class, fn () => (new Client($refusing->host()))->store('k', 'v'));
    Tap::throws(UnavailableException::class, fn () => (new Client(nobody()))->fetch('k'));
});

Tap::case('what the protocol does not allow is not even sent', static function (): void {
    $client = new Client(nobody());
    Tap::throws(\InvalidArgumentException::class, fn () => $client->store('a.b', 'v'));
    Tap::throws(\InvalidArgumentException::class, fn () => $client->fetch(''));
    Tap::throws(\InvalidArgumentException::class, fn () => $client->delete("a\n"));
    Tap::throws(\InvalidArgumentException::class, fn () => $client->store('k', str_repeat('x', 33554433)));
});

Tap::case('an open connection is used, and one that the server has closed is replaced', static function (): void {
    $server = new ScriptedServer('reply=v', 'drop', 'reply=w');
    $client = new Client($server->host());
    $client->open();
    $client->open();
    Tap::same('v', $client->fetch('k'));
    $client->open();
    Tap::same('w', $client->fetch('k'));
});

Tap::case('the old functions return what they always returned', static function (): void {
    Tap::same(-1, sharedance_store('k', 'v'), 'before open');
    Tap::same(false, sharedance_fetch('k'), 'before open');
    Tap::same(-1, sharedance_open(nobody()));
    Tap::same(-1, sharedance_open(''));
    $script = ["reply=OK\n", 'reply=', "reply=OK\n", 'reply=v', 'reply=', 'reply=', "reply=OK\n", 'reply=', 'reply='];
    $server = new ScriptedServer(...$script);
    Tap::same(0, sharedance_open('127.0.0.1', $server->port, 5));
    Tap::same(0, sharedance_store('k', 'v'));
    Tap::same(-1, sharedance_store('k', 'v'), 'no OK');
    Tap::same(0, sharedance_store(17, 42), 'numbers are what they look like');
    Tap::same('v', sharedance_fetch('k'));
    Tap::same(false, sharedance_fetch('k'), 'nothing is there');
    Tap::same(0, sharedance_delete('k'));
    Tap::same(-1, sharedance_delete('k'), 'nothing was there');
    sharedance_close();
    Tap::same(-1, sharedance_store('k', 'v'), 'the server is gone');
    Tap::same(false, sharedance_fetch('k'));
    Tap::same(-1, sharedance_delete('k'));
    Tap::same([1042, 10], [SHAREDANCE_DEFAULT_PORT, SHAREDANCE_DEFAULT_TIMEOUT]);
});

/** A lease of 30 seconds, by a clock that the test sets. */
function lease(float &$now, string ...$hosts): Lease
{
    return new Lease(new Hosts($hosts, 4321), 30, 2.0, static function () use (&$now): float {
        return $now;
    });
}

/** Replies to the two requests that ask for a lease, or prolong it: it is ours, in version 7 or 8; it is somebody's. */
const MINE = 'DONE version=7\r\n;7,30000,%';
const STILL_MINE = 'DONE version=8\r\n;8,30000,%';
const SOMEBODYS = 'ERROR exists\r\n;6,30000,1';
const DONE = 'DONE\r\n';

/** Takes the three things that were sent to ask for a lease; the token. */
function asked(ScriptedServer $server, string $name, string $condition): string
{
    $line = $server->received();
    $token = $server->received();
    Tap::true(preg_match('/^[1-9][0-9]*$/D', $token) === 1, "a token: $token");
    $length = strlen($token);
    Tap::same("PUT sharedance-leases::$name 30 $length type=raw if=$condition", $line);
    Tap::same("FETCH sharedance-leases::$name", $server->received());
    return $token;
}

Tap::case('a lease is taken in one breath, and given back with one command', static function (): void {
    $now = 100.0;
    $server = new ScriptedServer('lines=' . MINE . ';' . DONE);
    $lease = lease($now, $server->host());
    Tap::same(false, $lease->secure(), 'none is held');
    Tap::same(true, $lease->acquire('a,b', 0));
    asked($server, 'a%2Cb', 'absent');
    $now += 19.9;
    Tap::same(true, $lease->secure(), 'there is time enough');
    $lease->release();
    Tap::same('REMOVE sharedance-leases::a%2Cb if=7', $server->received());
    Tap::same(false, $lease->secure(), 'none is held any more');
});

Tap::case('a lease that is given back twice, or late, is not the next holder\'s', static function (): void {
    $now = 0.0;
    $first = new ScriptedServer('lines=' . MINE . ';');
    $second = new ScriptedServer('lines=ERROR exists\r\n');
    $lease = lease($now, $first->host(), $second->host());
    Tap::same(true, $lease->acquire('k', 0));
    asked($first, 'k', 'absent');
    $now = 1000.0;
    $lease->release();
    Tap::same('REMOVE sharedance-leases::k if=7', $first->received(), 'the reply is lost');
    Tap::same('REMOVE sharedance-leases::k if=7', $second->received(), 'the next holder has another version');
});

Tap::case('a lease that somebody else holds is waited for', static function (): void {
    $now = 0.0;
    $server = new ScriptedServer('lines=' . implode(';', [SOMEBODYS, SOMEBODYS, MINE]));
    $lease = lease($now, $server->host());
    Tap::same(true, $lease->acquire('k', 1));
    $first = asked($server, 'k', 'absent');
    Tap::same($first, asked($server, 'k', 'absent'), 'the same token');
    Tap::same($first, asked($server, 'k', 'absent'), 'the same token');
    $others = new ScriptedServer('lines=' . SOMEBODYS);
    Tap::same(false, lease($now, $others->host())->acquire('k', 0));
});

Tap::case('when the outcome is unknown, the next host is asked with the same token', static function (): void {
    $now = 0.0;
    $broken = new ScriptedServer('lines=');
    $refusing = new ScriptedServer('lines=ERROR timeout\r\n');
    // the first copy has made it, 2 s ago
    $server = new ScriptedServer('lines=ERROR exists\r\n;7,28000,%');
    $lease = lease($now, $broken->host(), $refusing->host(), $server->host());
    Tap::same(true, $lease->acquire('k', 0));
    $line = $broken->received();
    Tap::same($line, $refusing->received());
    Tap::same($broken->received(), $refusing->received(), 'the same token');
    asked($server, 'k', 'absent');
    Tap::same(2, $lease->position(), 'where to read');
    $now = 28.0;
    Tap::same(false, $lease->secure(), 'it has ended when the first copy\'s has');
    Tap::throws(UnavailableException::class, fn () => lease($now, nobody(), nobody())->acquire('k', 0));
});

Tap::case('a lease that is about to end is prolonged, if it is still ours', static function (): void {
    $now = 0.0;
    $server = new ScriptedServer('lines=' . implode(';', [MINE, STILL_MINE, DONE]));
    $lease = lease($now, $server->host());
    $lease->acquire('k', 0);
    $token = asked($server, 'k', 'absent');
    $now = 21.0;
    Tap::same(true, $lease->secure());
    Tap::same($token, asked($server, 'k', '7'));
    $now = 40.0;
    Tap::same(true, $lease->secure(), 'it lasts until 51');
    $now = 51.0;
    Tap::same(false, $lease->secure(), 'it has ended');
    $lease->release();
    Tap::same('REMOVE sharedance-leases::k if=8', $server->received());

    $now = 0.0;
    $server = new ScriptedServer('lines=' . implode(';', [MINE, SOMEBODYS]));
    $lease = lease($now, $server->host());
    $lease->acquire('k', 0);
    $now = 21.0;
    Tap::same(false, $lease->secure(), 'somebody else has it');
});

Tap::case('a lease whose entry somebody has touched is prolonged all the same', static function (): void {
    $now = 0.0;
    $server = new ScriptedServer('lines=' . implode(';', [MINE, 'ERROR exists\r\n;9,9000,%', STILL_MINE]));
    $lease = lease($now, $server->host());
    $lease->acquire('k', 0);
    asked($server, 'k', 'absent');
    $now = 21.0;
    Tap::same(true, $lease->secure());
    asked($server, 'k', '7');
    asked($server, 'k', '9');
});

Tap::case('a lease is not too short to be given back', static function (): void {
    Tap::throws(\InvalidArgumentException::class, fn () => new Lease(new Hosts('a', 1), 20, 1.0));
});

/** A handler with a lease of 30 seconds that the test's clock counts. */
function handler(float &$now, ScriptedServer $server, ScriptedServer $leases): SessionHandler
{
    return new SessionHandler(new Client($server->host()), lease($now, $leases->host()), 0);
}

Tap::case('a session is read under its lease and written while it lasts', static function (): void {
    $now = 0.0;
    $server = new ScriptedServer('reply=a|i:0;', 'reply=a|i:1;', "reply=OK\n", "reply=OK\n");
    $leases = new ScriptedServer('lines=' . MINE . ';' . STILL_MINE . ';' . DONE);
    $handler = handler($now, $server, $leases);
    Tap::same(true, $handler->validateId('id'));
    Tap::same('a|i:1;', $handler->read('id'), 'as it is when it is our turn');
    $server->received();
    $server->received();
    $now = 25.0;
    Tap::same(true, $handler->write('id', 'a|i:2;'), 'the lease is prolonged');
    Tap::same("S\0\0\0\x02\0\0\0\x06ida|i:2;", $server->received());
    Tap::same(true, $handler->updateTimestamp('id', 'a|i:2;'), 'what it holds, nobody else has changed');
    Tap::same("S\0\0\0\x02\0\0\0\x06ida|i:2;", $server->received());
});

Tap::case('a request that took longer than its lease does not overwrite what others did', static function (): void {
    foreach (['write' => ['id', 'v'], 'updateTimestamp' => ['id', 'v'], 'destroy' => ['id']] as $method => $arguments) {
        $now = 0.0;
        $server = new ScriptedServer('reply=v');
        $leases = new ScriptedServer('lines=' . MINE);
        $handler = handler($now, $server, $leases);
        $handler->read('id');
        $now = 30.0;
        $warning = Tap::throws(\ErrorException::class, fn () => $handler->$method(...$arguments));
        Tap::true(str_contains($warning->getMessage(), 'longer than its lease'), $warning->getMessage());
    }
});

Tap::case('without a lease, a session that has not changed is stored as it is now, or not at all', function (): void {
    $server = new ScriptedServer('reply=changed', "reply=OK\n", 'reply=', 'reply=');
    $handler = new SessionHandler(new Client($server->host()));
    Tap::same(true, $handler->updateTimestamp('id', 'old'));
    $server->received();
    Tap::same("S\0\0\0\x02\0\0\0\x07idchanged", $server->received());
    Tap::same(true, $handler->updateTimestamp('id', 'old'), 'somebody has logged out: it stays so');
});

Tap::case('an id is unknown only if a node says so', static function (): void {
    $handler = new SessionHandler(new Client(nobody()));
    Tap::same(true, $handler->validateId('id'), 'no node answers');
    Tap::same(false, $handler->validateId('../id'), 'it is no key');
    $server = new ScriptedServer('reply=v', 'reply=w', 'reply=', 'reply=');
    $handler = new SessionHandler(new Client($server->host()));
    Tap::same(true, $handler->validateId('id'));
    Tap::same('v', $handler->read('id'), 'it need not be fetched again');
    Tap::same('w', $handler->read('id'), 'but only once');
    Tap::same(false, $handler->validateId('id'));
});

Tap::case('a wrong setting of the handler is named', static function (): void {
    foreach (['HOST' => 'a:b:c', 'LOCK_SECONDS' => '1', 'LOCK_HOST' => ','] as $name => $value) {
        $environment = ["SESSION_HANDLER_$name" => $value] + ['SESSION_HANDLER_LOCK_SECONDS' => '60'];
        $process = proc_open(
            [PHP_BINARY, '-d', 'display_errors=1', __DIR__ . '/../session_handler.php'],
            [1 => ['pipe', 'w'], 2 => ['pipe', 'w']],
            $pipes,
            null,
            $environment
        );
        $output = stream_get_contents($pipes[1]) . stream_get_contents($pipes[2]);
        proc_close($process);
        Tap::true(str_contains($output, "SESSION_HANDLER_$name: "), $output);
    }
});

Tap::finish();
