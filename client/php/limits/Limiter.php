<?php

declare(strict_types=1);

namespace Dshm;

use Dshm\Sharedance\Hosts;
use Dshm\Sharedance\Stream;
use Dshm\Sharedance\Tls;
use Dshm\Sharedance\UnavailableException;

/**
 * Limits that the cluster decides, exactly, however many ask at once. One call is one round trip, on one connection
 * that stays open; when a host does not answer, the next one is asked.
 *
 * A request whose outcome is unknown, because the connection broke before the answer, is sent again: so in the worst
 * case its tokens are taken twice, and never too many are admitted. What gives tokens back is not sent again.
 */
final class Limiter
{
    public const DEFAULT_PORT = 4321;
    public const TOKENS_MAX = 1_000_000_000_000;

    /** After these errors another host is asked. */
    private const ASK_ANOTHER = ['busy', 'no_leader', 'shutting_down', 'timeout'];

    private Hosts $hosts;
    private string $prefix;
    private ?Stream $stream = null;

    /**
     * Does not connect yet.
     *
     * @param string|array<string> $hosts one, or several, see {@see Hosts}, with the ports of the text protocol
     * @param string $region of the keys: a name without colons
     * @param float $timeout seconds, for a connection and for each wait on it
     * @param string $user of the cluster, where it requires one, and its secret, of any bytes
     * @param ?Tls $tls how to connect with TLS; null: without
     * @throws \InvalidArgumentException if the region is none, or a host, or one of user and secret is missing
     */
    public function __construct(
        string|array $hosts = '127.0.0.1',
        string $region = 'limits',
        private float $timeout = 1.0,
        int $port = self::DEFAULT_PORT,
        string $user = '',
        #[\SensitiveParameter] string $secret = '',
        ?Tls $tls = null
    ) {
        if ($region === '' || str_contains($region, ':')) {
            throw new \InvalidArgumentException("\"$region\" is no region");
        }
        $nodes = (new Hosts($hosts, $port))->over($tls);
        $this->hosts = $user === '' && $secret === '' ? $nodes : $nodes->as($user, $secret);
        $this->prefix = rawurlencode($region) . '::';
    }

    /**
     * Takes so many tokens of a key, or none if there are too few.
     *
     * @param int $cost 0 only looks; less than 0 gives back
     * @param bool $shadow lets all pass, and says in {@see Decision::$would} what would have been
     * @throws \InvalidArgumentException if the key or the cost is none
     * @throws RefusedException if the key has another algorithm, for instance, or there is no such policy
     * @throws UnavailableException if no host decides
     */
    public function take(string $key, Rule $rule, int $cost = 1, bool $shadow = false): Decision
    {
        $line = $this->line($key, $rule, $cost, $shadow);
        $reply = $this->ask($line, $cost >= 0, static fn (string $first): string => $first);
        return Decision::read($reply) ?? throw new UnavailableException("no decision: $reply");
    }

    /**
     * Takes from several limits, all or none.
     *
     * @param non-empty-array<array{0: string, 1: Rule, 2?: int}> $takes keys, rules and costs (1 if left out)
     * @return array<Decision> under the keys of the array; each as it would be by itself. If one is not allowed,
     *     nothing was taken from any
     * @throws \InvalidArgumentException if a key or a cost is none
     * @throws RefusedException as {@see take}
     * @throws UnavailableException if no host decides
     */
    public function takeAll(array $takes): array
    {
        $data = '';
        $canRepeat = true;
        foreach ($takes as $take) {
            $cost = $take[2] ?? 1;
            $canRepeat = $canRepeat && $cost >= 0;
            $data .= $this->line($take[0], $take[1], $cost, false);
        }
        $request = 'TAKE_ALL ' . strlen($data) . "\r\n" . $data;
        $replies = $this->ask($request, $canRepeat, static function (string $first, Stream $stream): string {
            if (preg_match('/^LEN ([0-9]{1,9})( |$)/D', $first, $length) !== 1) {
                throw new UnavailableException("no decisions: $first");
            }
            return substr($stream->readExactly((int) $length[1] + 8), 0, -8);
        });
        $decisions = array_map([Decision::class, 'read'], explode("\r\n", rtrim($replies, "\r\n")));
        if (count($decisions) !== count($takes) || in_array(null, $decisions, true)) {
            throw new UnavailableException("no decisions: $replies");
        }
        return array_combine(array_keys($takes), $decisions);
    }

    /** Closes the connection; the next call opens another one. */
    public function close(): void
    {
        $this->stream?->close();
        $this->stream = null;
    }

    private function line(string $key, Rule $rule, int $cost, bool $shadow): string
    {
        if ($key === '') {
            throw new \InvalidArgumentException('an empty key');
        }
        if (abs($cost) > self::TOKENS_MAX) {
            throw new \InvalidArgumentException("$cost is no cost");
        }
        $sent = $this->prefix . implode(':', array_map('rawurlencode', explode(':', $key)));
        return "TAKE $sent " . $rule->words() . ($cost === 1 ? '' : " cost=$cost")
            . ($shadow ? ' shadow=yes' : '') . "\r\n";
    }

    /** @param callable(string, Stream): string $read what is replied, of its first line and what follows */
    private function ask(string $request, bool $canRepeat, callable $read): string
    {
        $exchange = fn (): string|\RuntimeException => $this->exchange($request, $canRepeat, $read);
        if ($this->stream !== null && $canRepeat) {
            try {
                return $this->resultOf($exchange());
            } catch (UnavailableException) {
                // It may have been open for too long: the same host is asked once more.
            }
        }
        // For what is sent once, no connection that may have been closed meanwhile.
        $this->close();
        return $this->resultOf($this->hosts->firstAnswer($exchange));
    }

    private function resultOf(string|\RuntimeException $result): string
    {
        return is_string($result) ? $result : throw $result;
    }

    /**
     * Asks one host. Throws if another one is to be asked; returns an exception if not.
     *
     * @param callable(string, Stream): string $read
     */
    private function exchange(string $request, bool $canRepeat, callable $read): string|\RuntimeException
    {
        $this->stream ??= $this->hosts->connect($this->timeout);
        try {
            $this->stream->send($request);
            $line = $this->stream->readLine();
            if (preg_match('/^ERROR (\S+)/', $line, $found) !== 1) {
                return $read($line, $this->stream);
            }
        } catch (UnavailableException $e) {
            $this->close();
            return $canRepeat ? throw $e : $e;
        }
        $code = $found[1];
        if (!in_array($code, self::ASK_ANOTHER, true)) {
            return new RefusedException($code);
        }
        $this->close();
        $e = new UnavailableException("the host says $code");
        return $canRepeat || $code !== 'timeout' ? throw $e : $e;
    }
}
