<?php

/**
 * Dshm\Limiter against a cluster that is running:
 *
 *   php limiter_live_test.php HOST:PORT,HOST:PORT,HOST:PORT [CA-FILE USER SECRET-FILE]
 */

declare(strict_types=1);

namespace Dshm\Sharedance\Test;

use Dshm\Limiter;
use Dshm\RefusedException;
use Dshm\Rule;
use Dshm\Sharedance\Tls;

require __DIR__ . '/support/tap.php';
require __DIR__ . '/../limiter.php';

$nodes = explode(',', $argv[1]);
$region = 'php-limits-' . getmypid();
[, , $authorities, $user, $secretFile] = $argv + ['', '', '', '', ''];
$limiter = static fn (string|array $hosts): Limiter => new Limiter(
    $hosts,
    $region,
    10.0,
    user: $user,
    secret: $secretFile === '' ? '' : (string) file_get_contents($secretFile),
    tls: $authorities === '' ? null : new Tls($authorities)
);

Tap::case('a limit holds, through every node', static function () use ($nodes, $limiter): void {
    $limiters = array_map($limiter, $nodes);
    foreach (['fixed', 'log', 'counter', 'gcra', 'leaky'] as $algorithm) {
        $rule = Rule::of($algorithm, 10, 315619200, $algorithm === 'leaky' ? 9 : null);
        $admitted = 0;
        for ($i = 0; $i < 15; $i++) {
            $admitted += (int) $limiters[$i % count($limiters)]->take($algorithm, $rule)->allowed;
        }
        Tap::same(10, $admitted, $algorithm);
        Tap::same(4, $limiters[0]->take($algorithm, $rule, -4)->remaining, $algorithm);
        Tap::same(4, $limiters[0]->take($algorithm, $rule, 0)->remaining, $algorithm);
    }
    Tap::throws(RefusedException::class, fn () => $limiters[0]->take('fixed', Rule::of('log', 1, 1)));
});

Tap::case('several limits are charged all or none', static function () use ($nodes, $limiter): void {
    $all = $limiter($nodes);
    $short = Rule::of('fixed', 2, 315619200);
    $long = Rule::of('fixed', 9, 315619200);
    for ($i = 0; $i < 4; $i++) {
        $decisions = $all->takeAll(['short' => ['short', $short], 'long' => ['long', $long, 3]]);
        Tap::same([$i < 2, true], [$decisions['short']->allowed, $decisions['long']->allowed]);
    }
    Tap::same(3, $all->take('long', $long, 0)->remaining);
});

Tap::finish();
