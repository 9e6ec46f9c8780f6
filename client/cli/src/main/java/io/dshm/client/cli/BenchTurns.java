package io.dshm.client.cli;

import io.dshm.client.cli.bench.Plan;
import io.dshm.client.cli.bench.Result;
import io.dshm.client.cli.bench.Target;
import io.dshm.client.cli.bench.Trial;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Runs of one plan against one target or two, by turns, so that what happens beside them on the machine harms both
 * alike.
 *
 * @param results by target, in the order of the rounds
 */
record BenchTurns(List<List<Result>> results) {

    /** Runs them all. */
    static BenchTurns run(Plan plan, List<Target> targets, int rounds, Output output) throws IOException {
        List<List<Result>> results = new ArrayList<>();
        targets.forEach(target -> results.add(new ArrayList<>()));
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < targets.size(); i++) {
                Target target = targets.get(i);
                if (rounds > 1 || targets.size() > 1) {
                    output.aside(target.name() + ", round " + (round + 1) + " of " + rounds);
                }
                results.get(i).add(Trial.run(plan, target, second -> BenchReport.live(output, second)));
            }
        }
        return new BenchTurns(results);
    }

    /** Of each target, the run with the median throughput. */
    List<Result> middle() {
        return results.stream()
                .map(runs -> runs.stream()
                        .sorted(Comparator.comparingDouble(Result::perSecond))
                        .toList()
                        .get(runs.size() / 2))
                .toList();
    }

    /** All runs, in the order in which they ran. */
    List<Result> all() {
        return IntStream.range(0, results.get(0).size())
                .boxed()
                .flatMap(round -> results.stream().map(runs -> runs.get(round)))
                .toList();
    }

    /** The median of a figure over the runs of a target. */
    double median(int target, ToDoubleFunction<Result> figure) {
        double[] sorted =
                results.get(target).stream().mapToDouble(figure).sorted().toArray();
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
