<?php

declare(strict_types=1);

namespace Dshm\Sharedance;

/**
 * A connection on which nothing waits longer than its timeout, neither for bytes nor for room to send them. Every
 * method throws {@see UnavailableException} when the time is over, or the connection is broken.
 */
final class Stream
{
    private const PIECE_BYTES = 65536;

    private string $buffer = '';

    /**
     * @param resource $socket not blocking
     * @param bool $holdsBytes whether bytes may have arrived that a wait does not see, as with TLS
     */
    private function __construct(
        private $socket,
        private string $peer,
        private float $timeout,
        private bool $holdsBytes
    ) {
    }

    /**
     * @param float $timeout seconds for the connection, and afterwards for each wait
     * @param ?Tls $tls null: no TLS
     */
    public static function connect(string $host, int $port, float $timeout, ?Tls $tls = null): self
    {
        $peer = "$host:$port";
        $url = ($tls === null ? 'tcp' : 'tls') . "://$peer";
        $context = $tls === null ? stream_context_create() : $tls->context($host);
        $warnings = [];
        set_error_handler(static function (int $level, string $warning) use (&$warnings): bool {
            $warnings[] = $warning;
            return true;
        });
        try {
            $connect = STREAM_CLIENT_CONNECT;
            $socket = stream_socket_client($url, $code, $message, $timeout, $connect, $context);
        } finally {
            restore_error_handler();
        }
        if ($socket === false) {
            // The first warning says what has failed, such as a certificate; the later ones, that nothing is connected.
            $why = $message === '' ? preg_replace('/\s+/', ' ', $warnings[0] ?? 'no connection') : $message;
            throw new UnavailableException("$peer: $why");
        }
        stream_set_blocking($socket, false);
        stream_set_read_buffer($socket, 0);
        stream_set_chunk_size($socket, self::PIECE_BYTES);
        return new self($socket, $peer, $timeout, $tls !== null);
    }

    /** Sends the head and the body; small ones together, large ones without a copy of the whole. */
    public function send(#[\SensitiveParameter] string $head, #[\SensitiveParameter] string $body = ''): void
    {
        $this->sendAll($head . substr($body, 0, self::PIECE_BYTES));
        for ($at = self::PIECE_BYTES; $at < strlen($body); $at += self::PIECE_BYTES) {
            $this->sendAll(substr($body, $at, self::PIECE_BYTES));
        }
    }

    private function sendAll(#[\SensitiveParameter] string $bytes): void
    {
        while ($bytes !== '') {
            $this->await(true);
            $sent = @fwrite($this->socket, $bytes);
            if ($sent === false) {
                throw new UnavailableException("{$this->peer}: the connection broke while sending");
            }
            $bytes = substr($bytes, $sent);
        }
    }

    /** All that comes until the other side closes. */
    public function readToEnd(): string
    {
        while ($this->readMore()) {
            // until there is nothing more
        }
        return $this->take(strlen($this->buffer));
    }

    /** What comes up to the next line feed, without it and without a carriage return before it. */
    public function readLine(): string
    {
        while (($end = strpos($this->buffer, "\n")) === false) {
            $this->requireMore();
        }
        return rtrim($this->take($end + 1), "\r\n");
    }

    /** So many bytes. */
    public function readExactly(int $length): string
    {
        while (strlen($this->buffer) < $length) {
            $this->requireMore();
        }
        return $this->take($length);
    }

    private function take(int $length): string
    {
        $taken = substr($this->buffer, 0, $length);
        $this->buffer = substr($this->buffer, $length);
        return $taken;
    }

    private function requireMore(): void
    {
        if (!$this->readMore()) {
            throw new UnavailableException("{$this->peer}: it closed the connection");
        }
    }

    /** False if the other side has closed in good order. */
    private function readMore(): bool
    {
        $piece = $this->holdsBytes ? @fread($this->socket, self::PIECE_BYTES) : '';
        if ($piece === '' && !($this->holdsBytes && feof($this->socket))) {
            $this->await(false);
            $piece = @fread($this->socket, self::PIECE_BYTES);
        }
        if ($piece === false) {
            throw new UnavailableException("{$this->peer}: it broke the connection");
        }
        $this->buffer .= $piece;
        return $piece !== '' || !feof($this->socket);
    }

    private function await(bool $toSend): void
    {
        $read = $toSend ? [] : [$this->socket];
        $write = $toSend ? [$this->socket] : [];
        $except = [];
        $seconds = (int) $this->timeout;
        $ready = @stream_select($read, $write, $except, $seconds, (int) (($this->timeout - $seconds) * 1e6));
        if ($ready === 0) {
            throw new UnavailableException("{$this->peer}: no answer within {$this->timeout} s");
        }
    }

    public function close(): void
    {
        if (is_resource($this->socket)) {
            fclose($this->socket);
        }
    }
}
