<?php

declare(strict_types=1);

namespace Dshm\Sharedance\Test;

/** A {@see scripted_server.php} in a process of its own. When its script is over, it listens no more. */
final class ScriptedServer
{
    public int $port;

    /** @var resource */
    private $process;

    /** @var array<resource> */
    private array $pipes = [];

    public function __construct(string ...$script)
    {
        $process = proc_open(
            [PHP_BINARY, __DIR__ . '/scripted_server.php', ...$script],
            [['pipe', 'r'], ['pipe', 'w'], STDERR],
            $this->pipes
        );
        if ($process === false) {
            throw new \RuntimeException('no process');
        }
        $this->process = $process;
        $this->port = (int) fgets($this->pipes[1]);
    }

    public function host(): string
    {
        return "127.0.0.1:{$this->port}";
    }

    /** The next command or line that came; waits for it. */
    public function received(): string
    {
        $line = fgets($this->pipes[1]);
        return $line === false ? '(nothing)' : base64_decode(json_decode($line));
    }

    public function __destruct()
    {
        array_map('fclose', $this->pipes);
        proc_terminate($this->process);
        proc_close($this->process);
    }
}
