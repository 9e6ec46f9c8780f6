<?php

/**
 * The old functions and the bare protocol, against a cluster that is running:
 *
 *   php live_test.php HOST:PORT,HOST:PORT,HOST:PORT EXPIRATION-SECONDS
 */

declare(strict_types=1);

namespace Dshm\Sharedance\Test;

require __DIR__ . '/support/tap.php';
require __DIR__ . '/../sharedance.php';

[, $hosts, $expiration] = $argv;
$nodes = explode(',', $hosts);
ini_set('memory_limit', '512M');

/** Calls a function with one node opened. */
function at(string $node, callable $do): mixed
{
    Tap::same(0, sharedance_open(...explode(':', $node)), $node);
    try {
        return $do();
    } finally {
        sharedance_close();
    }
}

/** Until a node shows it: reads are local, and it may be a moment behind. */
function awaitAt(string $node, string $key, string|false $expected): void
{
    $giveUp = microtime(true) + 30;
    do {
        $data = at($node, fn () => sharedance_fetch($key));
        if ($data === $expected) {
            return;
        }
        usleep(5000);
    } while (microtime(true) < $giveUp);
    Tap::same($expected, $data, "$key at $node");
}

/** @return resource */
function connect(string $node)
{
    $socket = stream_socket_client("tcp://$node", $code, $message, 10);
    stream_set_timeout($socket, 60);
    return $socket;
}

/** What comes back for these bytes, until the server closes. */
function raw(string $node, string $bytes): string
{
    $socket = connect($node);
    // It may close on what it refuses while it is still being sent.
    @fwrite($socket, $bytes);
    $reply = @stream_get_contents($socket);
    Tap::same(false, stream_get_meta_data($socket)['timed_out'], 'timed out');
    fclose($socket);
    return (string) $reply;
}

function storing(string $key, string $data, ?int $length = null): string
{
    return 'S' . pack('NN', strlen($key), $length ?? strlen($data)) . $key . $data;
}

function fetching(string $key): string
{
    return 'F' . pack('N', strlen($key)) . $key;
}

Tap::case('store, fetch and delete, through every node', function () use ($nodes): void {
    foreach ($nodes as $node) {
        Tap::same(false, at($node, fn () => sharedance_fetch('k')));
        Tap::same(0, at($node, fn () => sharedance_store('k', 'v')));
        Tap::same('v', at($node, fn () => sharedance_fetch('k')));
        Tap::same(0, at($node, fn () => sharedance_store('k', 'other')));
        Tap::same('other', at($node, fn () => sharedance_fetch('k')));
        foreach ($nodes as $other) {
            awaitAt($other, 'k', 'other');
        }
        Tap::same(0, at($node, fn () => sharedance_delete('k')));
        Tap::same(-1, at($node, fn () => sharedance_delete('k')));
        foreach ($nodes as $other) {
            awaitAt($other, 'k', false);
        }
    }
});

Tap::case('data is bytes of any kind, and a key all that a key may be', function () use ($nodes): void {
    $data = implode('', array_map('chr', range(0, 255)));
    $key = strtr(implode('', array_map('chr', range(32, 126))), ['.' => '', '/' => '']);
    Tap::same(0, at($nodes[0], fn () => sharedance_store($key, $data)));
    Tap::same($data, at($nodes[0], fn () => sharedance_fetch($key)));
    Tap::same(0, at($nodes[0], fn () => sharedance_store($key, '')));
    Tap::same(false, at($nodes[0], fn () => sharedance_fetch($key)), 'empty is like absent');
    Tap::same(0, at($nodes[0], fn () => sharedance_delete($key)), 'but it is there');
});

Tap::case('what cannot be a key or a command is closed without a reply', function () use ($nodes): void {
    foreach (["a.b", '../a', 'a/b', "a\x7F", "a\n", "\0", "\xE9"] as $key) {
        Tap::same('', raw($nodes[0], storing($key, 'v')));
        Tap::same('', raw($nodes[0], fetching($key)));
        Tap::same(-1, at($nodes[0], fn () => sharedance_store($key, 'v')));
    }
    foreach ([fetching(''), storing('', 'v'), 'X', "s\0\0\0\x01", "F\xFF\xFF\xFF\xFF", "GET k\r\n"] as $bytes) {
        Tap::same('', raw($nodes[0], $bytes));
    }
});

Tap::case('one byte too many, and nothing is stored', function () use ($nodes): void {
    Tap::same('', raw($nodes[0], storing('extra', 'value', 4)));
    Tap::same('', raw($nodes[0], fetching('extra') . 'x'));
    Tap::same('', raw($nodes[0], storing('extra', '', 33554433)), 'as announced');
    Tap::same('', raw($nodes[0], storing('extra', '', -1)), '4 GiB');
    Tap::same('', raw($nodes[0], fetching('extra')));
    Tap::same(-1, at($nodes[0], fn () => sharedance_store('extra', str_repeat('x', 33554433))));
});

Tap::case('pieces of one byte each', function () use ($nodes): void {
    foreach ([storing('pieces', "a\0b") => "OK\n", fetching('pieces') => "a\0b"] as $request => $reply) {
        $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_set_option($socket, SOL_TCP, TCP_NODELAY, 1);
        [$host, $port] = explode(':', $nodes[0]);
        socket_connect($socket, $host, (int) $port);
        foreach (str_split($request) as $byte) {
            socket_write($socket, $byte);
            usleep(1000);
        }
        $got = '';
        while (($piece = socket_read($socket, 10)) !== '') {
            $got .= $piece;
        }
        Tap::same($reply, $got);
    }
});

Tap::case('the shapes of the old client: a reply by fgets, data by fread', function () use ($nodes): void {
    $socket = connect($nodes[0]);
    fwrite($socket, storing('shape', str_repeat('x', 10000)));
    Tap::same("OK\n", fgets($socket));
    Tap::same(false, fgets($socket), 'closed');
    $socket = connect($nodes[0]);
    stream_set_blocking($socket, false);
    fwrite($socket, fetching('shape'));
    stream_set_blocking($socket, true);
    $data = '';
    while (($piece = fread($socket, 4096)) != false) {
        $data .= $piece;
    }
    Tap::same(str_repeat('x', 10000), $data);
});

Tap::case('a client may close its sending side before the reply', function () use ($nodes): void {
    foreach ([storing('half', 'v') => "OK\n", fetching('half') => 'v', 'F' => ''] as $request => $reply) {
        $socket = connect($nodes[0]);
        fwrite($socket, $request);
        stream_socket_shutdown($socket, STREAM_SHUT_WR);
        Tap::same($reply, stream_get_contents($socket));
    }
});

Tap::case('a thousand connections at once', function () use ($nodes): void {
    $sockets = [];
    for ($i = 0; $i < 1000; $i++) {
        $sockets[] = connect($nodes[$i % count($nodes)]);
    }
    foreach ($sockets as $i => $socket) {
        fwrite($socket, storing("many$i", "value $i"));
    }
    foreach ($sockets as $i => $socket) {
        Tap::same("OK\n", fgets($socket), "connection $i");
        fclose($socket);
    }
    foreach ($nodes as $i => $node) {
        awaitAt($node, 'many999', 'value 999');
    }
});

Tap::case('32 MiB, stored through one node and fetched through another', function () use ($nodes): void {
    $data = random_bytes(33554432);
    Tap::same(0, at($nodes[0], fn () => sharedance_store('large', $data)));
    Tap::same(true, at($nodes[0], fn () => sharedance_fetch('large')) === $data, 'the same bytes');
    awaitAt($nodes[1], 'large', $data);
    Tap::same(0, at($nodes[1], fn () => sharedance_delete('large')));
});

Tap::case('data expires after its last store, even if it is fetched', function () use ($nodes, $expiration): void {
    $client = new \Dshm\Sharedance\Client($nodes);
    $client->store('short', 'first');
    usleep((int) ($expiration * 5e5));
    $before = microtime(true);
    $client->store('short', 'second');
    $after = microtime(true);
    do {
        $asked = microtime(true);
        $data = $client->fetch('short');
        $answered = microtime(true);
        if ($data === null) {
            Tap::true($answered - $before >= $expiration - 0.1, 'it lived ' . ($answered - $before) . ' s');
            Tap::same(false, $client->delete('short'), 'it is not there to be deleted');
            return;
        }
        usleep(50_000);
    } while ($asked - $after < $expiration + 20);
    Tap::true(false, 'it has never expired');
});

Tap::finish();
