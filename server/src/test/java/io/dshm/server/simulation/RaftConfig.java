package io.dshm.server.simulation;

import io.dshm.server.replication.jraft.Electorate;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Who votes and who only learns, by the numbers of nodes. Immutable. */
record RaftConfig(Set<Integer> voters, Set<Integer> learners) {

    RaftConfig {
        voters = Set.copyOf(voters);
        learners = Set.copyOf(learners);
    }

    /** So many nodes, all of which vote. */
    static RaftConfig of(int size) {
        return new RaftConfig(IntStream.range(0, size).boxed().collect(Collectors.toSet()), Set.of());
    }

    boolean isMajority(Collection<Integer> some) {
        return some.stream().filter(voters::contains).distinct().count() > voters.size() / 2;
    }

    /** Whether the log goes there. */
    boolean receives(int node) {
        return voters.contains(node) || learners.contains(node);
    }

    RaftConfig withLearner(int node) {
        Set<Integer> more = new TreeSet<>(learners);
        more.add(node);
        return new RaftConfig(voters, more);
    }

    RaftConfig withVoter(int node) {
        Set<Integer> more = new TreeSet<>(voters);
        more.add(node);
        return new RaftConfig(more, without(node).learners);
    }

    RaftConfig without(int node) {
        Set<Integer> fewer = new TreeSet<>(voters);
        fewer.remove(node);
        Set<Integer> learning = new TreeSet<>(learners);
        learning.remove(node);
        return new RaftConfig(fewer, learning);
    }

    /** As a node sees it that has lost its data. */
    boolean hasHeardEnough(int node, Collection<Integer> heard) {
        Set<Integer> others = new TreeSet<>(voters);
        others.remove(node);
        Set<String> names = others.stream().map(other -> "n" + other).collect(Collectors.toSet());
        int needed = new Electorate(names, voters.contains(node)).needed();
        return heard.stream().filter(others::contains).count() >= needed;
    }
}
