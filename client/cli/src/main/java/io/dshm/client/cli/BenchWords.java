package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Tool;
import java.util.List;

/** The word that puts load on a cluster. */
final class BenchWords {

    static final List<Word> ALL = List.of(new Word(
            "bench",
            List.of(),
            "Puts load on the nodes, measures, and checks what they reply.",
            List.of(),
            List.of(
                    new Option(
                            "--mix",
                            "WORD=N,...",
                            "What is done: get, set, add, cas, delete, incr, take, push, pop, touch, ping, and how often."
                                    + " Default: get=80,incr=20."),
                    new Option("--connections", "N", "All together. Default: 48."),
                    new Option("--pipeline", "N", "Requests at once on each. Default: 1."),
                    new Option("--threads", "N", "Of the generator. Default: 1."),
                    new Option(
                            "--rate",
                            "N",
                            "Open loop: so many requests a second, latencies from when each is due. Without it, a closed"
                                    + " loop: each waits for one before it."),
                    new Option("--duration", "TIME", "What is measured. Default: 10s."),
                    new Option("--warm-up", "TIME", "Before that. Default: 2s."),
                    new Option("--count", "N", "Ends after so many requests, if that is earlier."),
                    new Option("--keys", "N", "Keys of each kind. Default: 1000."),
                    new Option(
                            "--distribution", "D", "uniform, zipf, zipf:EXPONENT, hot:KEYS:PERCENT. Default: uniform."),
                    new Option("--value-size", "N|N-M", "Bytes of a value, 8 or more. Default: 64."),
                    new Option("--limit", "N/TIME", "The limit of take. Default: 100/1s."),
                    new Option("--algorithm", "A", "Of that limit: fixed, log, counter, gcra, leaky. Default: log."),
                    new Option("--seed", "N", "Of the random choices. Default: 1."),
                    new Option("--html", "FILE", "Writes a page with plots."),
                    new Option(
                            "--compare",
                            "URL",
                            "Runs the same against redis://HOST:PORT, memcached://HOST:PORT or etcd://HOST:PORT,... too,"
                                    + " by turns, and shows ratios."),
                    new Option("--target", "URL", "Such servers instead of the nodes."),
                    new Option("--rounds", "N", "Runs of each; medians are shown. Default: 1, with --compare 3.")),
            new Tool((arguments, session) -> BenchCommand.run(arguments, session))));

    private BenchWords() {}
}
