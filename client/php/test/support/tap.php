<?php

/** Cases and assertions; prints TAP. A case that throws has failed, and the others go on. */

declare(strict_types=1);

namespace Dshm\Sharedance\Test;

error_reporting(E_ALL);
// A warning nobody asked for is a failure too.
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    if ((error_reporting() & $level) === 0) {
        return false;
    }
    throw new \ErrorException($message, 0, $level, $file, $line);
});

final class Tap
{
    private static int $cases = 0;
    private static int $failed = 0;

    /** Runs a case. */
    public static function case(string $name, callable $body): void
    {
        self::$cases++;
        try {
            $body();
            echo 'ok ' . self::$cases . " - $name\n";
        } catch (\Throwable $e) {
            self::$failed++;
            echo 'not ok ' . self::$cases . " - $name\n";
            echo preg_replace('/^/m', '# ', $e::class . ": {$e->getMessage()}\n{$e->getTraceAsString()}") . "\n";
        }
    }

    /** Prints the plan, and ends the program. */
    public static function finish(): never
    {
        echo '1..' . self::$cases . "\n";
        exit(self::$failed === 0 ? 0 : 1);
    }

    public static function same(mixed $expected, mixed $actual, string $what = ''): void
    {
        if ($expected !== $actual) {
            throw new \AssertionError(
                ($what === '' ? '' : "$what: ") . 'not ' . self::words($expected) . ' but ' . self::words($actual)
            );
        }
    }

    public static function true(bool $holds, string $what): void
    {
        if (!$holds) {
            throw new \AssertionError("not true: $what");
        }
    }

    /** @param class-string<\Throwable> $class */
    public static function throws(string $class, callable $body): \Throwable
    {
        try {
            $body();
        } catch (\Throwable $e) {
            if ($e instanceof $class) {
                return $e;
            }
            throw $e;
        }
        throw new \AssertionError("no $class was thrown");
    }

    private static function words(mixed $value): string
    {
        $words = var_export($value, true);
        return strlen($words) <= 300 ? $words : substr($words, 0, 300) . '... (' . strlen($words) . ')';
    }
}
