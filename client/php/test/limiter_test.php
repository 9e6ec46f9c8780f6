<?php

/** Dshm\Limiter and the middleware, against servers that do what the test says. */

declare(strict_types=1);

namespace Dshm\Sharedance\Test;

use Dshm\Example\RateLimitMiddleware;
use Dshm\Limiter;
use Dshm\RefusedException;
use Dshm\Rule;
use Dshm\Sharedance\UnavailableException;

require __DIR__ . '/support/tap.php';
require __DIR__ . '/support/ScriptedServer.php';
require __DIR__ . '/support/psr.php';
require __DIR__ . '/../limiter.php';
require __DIR__ . '/../examples/RateLimitMiddleware.php';

const DONE = 'DONE allowed=1 limit=100 remaining=99 reset=600 retry=0\r\n';
const REFUSED = 'DONE allowed=0 limit=100 remaining=0 reset=60000 retry=600\r\n';

Tap::case('take sends the rule, and reads the decision', static function (): void {
    $server = new ScriptedServer('lines=' . DONE . ';DONE allowed=1 limit=6 remaining=0 reset=2500 retry=-1 '
        . 'delay=1250 would=0\r\n;' . REFUSED . ';' . REFUSED);
    $limiter = new Limiter($server->host(), 'a b');
    $decision = $limiter->take('x y:z', Rule::of('gcra', 100, 60));
    Tap::same('TAKE a%20b::x%20y:z gcra 100 60', $server->received());
    Tap::same([true, 100, 99, 0.6, 0.0, null, null], [$decision->allowed, $decision->limit, $decision->remaining,
        $decision->reset, $decision->retry, $decision->delay, $decision->would]);
    Tap::same(null, $decision->retryAfter());

    $decision = $limiter->take('k', Rule::of('leaky', 2, 0.25, 5), 7, true);
    Tap::same('TAKE a%20b::k leaky 2 0.25 burst=5 cost=7 shadow=yes', $server->received());
    Tap::same([2.5, null, 1.25, false], [$decision->reset, $decision->retry, $decision->delay, $decision->would]);

    $decision = $limiter->take('k', Rule::policy('api v2'), 0);
    Tap::same('TAKE a%20b::k policy=api%20v2 cost=0', $server->received());
    Tap::same([false, 1], [$decision->allowed, $decision->retryAfter()]);
    $limiter->take('k', Rule::of('log', 1_000_000_000_000, 315619200));
    Tap::same('TAKE a%20b::k log 1000000000000 315619200', $server->received());
});

Tap::case('takeAll sends one request, and reads all decisions', static function (): void {
    $replies = strlen("DONE allowed=1 limit=100 remaining=99 reset=600 retry=0\r\n")
        + strlen("DONE allowed=0 limit=100 remaining=0 reset=60000 retry=600\r\n");
    $server = new ScriptedServer("lines=;;LEN $replies allowed=0 refused=2\\r\\n" . DONE . REFUSED . '\r\nDONE\r\n');
    $decisions = (new Limiter($server->host()))->takeAll([
        'second' => ['s', Rule::of('gcra', 10, 1)], 'hour' => ['h', Rule::of('fixed', 100, 3600), 2],
    ]);
    Tap::same('TAKE_ALL 64', $server->received());
    Tap::same('TAKE limits::s gcra 10 1', $server->received());
    Tap::same('TAKE limits::h fixed 100 3600 cost=2', $server->received());
    Tap::same([true, false], [$decisions['second']->allowed, $decisions['hour']->allowed]);
});

Tap::case('what cannot be asked is not sent', static function (): void {
    $limiter = new Limiter('127.0.0.1:1');
    foreach (
        [
            fn () => Rule::of('token', 1, 1), fn () => Rule::of('gcra', -1, 1), fn () => Rule::of('gcra', 1, 0),
            fn () => Rule::of('gcra', 1, NAN), fn () => Rule::of('gcra', 1, 4e8), fn () => Rule::of('fixed', 1, 1, 1),
            fn () => Rule::of('gcra', 1, 1, -1), fn () => new Limiter('127.0.0.1', 'a:b'),
            fn () => $limiter->take('', Rule::of('gcra', 1, 1)),
            fn () => $limiter->take('k', Rule::of('gcra', 1, 1), PHP_INT_MAX),
        ] as $call
    ) {
        Tap::throws(\InvalidArgumentException::class, $call);
    }
});

Tap::case('an error that is an answer is thrown, and the connection goes on', static function (): void {
    $server = new ScriptedServer('lines=ERROR bad_request another algorithm\r\n;' . DONE);
    $limiter = new Limiter($server->host());
    $e = Tap::throws(RefusedException::class, fn () => $limiter->take('k', Rule::of('gcra', 1, 1)));
    Tap::same('bad_request', $e->getMessage());
    Tap::same(true, $limiter->take('k', Rule::of('gcra', 1, 1))->allowed);
});

Tap::case('when a host does not decide, the next one is asked', static function (): void {
    foreach (['drop', 'reset', 'lines=ERROR busy\r\n', 'lines=ERROR timeout\r\n'] as $bad) {
        $failing = new ScriptedServer($bad);
        $server = new ScriptedServer('lines=' . DONE);
        $limiter = new Limiter([$failing->host(), $server->host()]);
        Tap::same(99, $limiter->take('k', Rule::policy('p'))->remaining, $bad);
    }
    $old = new ScriptedServer('lines=' . DONE, 'lines=' . DONE);
    $limiter = new Limiter($old->host());
    Tap::same(99, $limiter->take('k', Rule::policy('p'))->remaining);
    Tap::same(99, $limiter->take('k', Rule::policy('p'))->remaining, 'it had closed the connection');
    Tap::throws(UnavailableException::class, fn () => $limiter->take('k', Rule::policy('p')));
});

Tap::case('what gives back is sent again only if certainly nothing happened', static function (): void {
    foreach (['lines=', 'lines=ERROR timeout\r\n'] as $unclear) {
        $failing = new ScriptedServer($unclear);
        $server = new ScriptedServer('lines=' . DONE);
        $limiter = new Limiter([$failing->host(), $server->host()]);
        Tap::throws(UnavailableException::class, fn () => $limiter->take('k', Rule::policy('p'), -1));
        Tap::same('TAKE limits::k policy=p cost=-1', $failing->received());
    }
    $failing = new ScriptedServer('lines=ERROR busy\r\n');
    $server = new ScriptedServer('lines=' . DONE);
    Tap::same(99, (new Limiter([$failing->host(), $server->host()]))->take('k', Rule::policy('p'), -1)->remaining);
});

Tap::case('what is printed of a limiter, and of what it throws, has no secret', static function (): void {
    $limiter = new Limiter('127.0.0.1:1', 'limits', user: 'me', secret: 'hidden');
    Tap::same(false, str_contains(print_r($limiter, true), 'hidden'));
    try {
        $limiter->take('k', Rule::policy('p'));
        Tap::same('an exception', '');
    } catch (UnavailableException $e) {
        Tap::same(false, str_contains(print_r($e->getTrace(), true), 'hidden'));
    }
});

Tap::case('the middleware admits, refuses, and says so', static function (): void {
    $server = new ScriptedServer('lines=' . DONE . ';' . REFUSED);
    $middleware = new RateLimitMiddleware(new Limiter($server->host()), new Responses(), 'api', 100, 60);
    $response = $middleware->process(new Request('192.0.2.1'), new Handler());
    Tap::same('TAKE limits::api:192.0.2.1 gcra 100 60', $server->received());
    Tap::same([200, ['RateLimit-Policy' => '"api";q=100;w=60', 'RateLimit' => '"api";r=99;t=1']], $response->all());
    $response = $middleware->process(new Request('192.0.2.1'), new Handler());
    Tap::same(
        [429, ['RateLimit-Policy' => '"api";q=100;w=60', 'RateLimit' => '"api";r=0;t=60', 'Retry-After' => '1']],
        $response->all()
    );
});

Tap::case('the middleware without a cluster', static function (): void {
    ini_set('error_log', '/dev/null');
    foreach ([[false, 200], [true, 503]] as [$refuses, $status]) {
        $limiter = new Limiter('127.0.0.1:1');
        $middleware = new RateLimitMiddleware($limiter, new Responses(), 'api', 100, 60, $refuses);
        Tap::same($status, $middleware->process(new Request('192.0.2.1'), new Handler())->getStatusCode());
    }
});

Tap::finish();
