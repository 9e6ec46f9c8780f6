package io.dshm.server;

import io.dshm.proto.wire.Member;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.replication.jraft.Electorate;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks who votes, for a node that has lost its data: its setting may name members of long ago. Each node that has its
 * data tells the newest configuration in its log. The asking node believes a configuration when so many of its voters
 * have answered that none of its majorities, this node included, has gone unheard: whatever that configuration was
 * followed by, one of them knows it. Then the same holds for that one.
 */
final class VoterQuestions {

    private static final Logger LOG = LoggerFactory.getLogger(VoterQuestions.class);

    private static final long ASK_MILLIS = 500;

    /** A line in the log every thirty seconds. */
    private static final int ROUNDS_PER_LINE = 60;

    private final String self;
    private final Set<String> setting;
    private final ClusterMembers members;
    private final PeerStatuses peers;

    /** @param members knows the addresses of those that the setting names, and gets to know the others */
    VoterQuestions(String self, ClusterMembers members, PeerStatuses peers) {
        this.self = self;
        this.setting = Set.copyOf(members.others());
        this.members = members;
        this.peers = peers;
    }

    /**
     * Asks until it is known. Blocks until then.
     *
     * @param waiting is told who has not answered
     * @return the voters of each configuration that somebody told
     */
    List<Electorate> ask(Consumer<List<String>> waiting) throws InterruptedException {
        for (int round = 0; ; round++) {
            long started = System.nanoTime();
            Set<String> asked = new TreeSet<>(members.others());
            Map<String, StatusReply> answers = answers(asked);
            if (!answers.isEmpty() && answers.values().stream().allMatch(answer -> answer.getClusterId() == 0)) {
                // Members have never changed: they cannot before the cluster has an id.
                return List.of(new Electorate(setting, true));
            }
            learnAddresses(answers);
            List<Electorate> told = told(answers);
            Set<String> missing = new TreeSet<>();
            for (Electorate voters : told) {
                Set<String> silent = new TreeSet<>(voters.others());
                silent.removeIf(voter -> hasTold(answers.get(voter)));
                if (voters.others().size() - silent.size() < voters.needed()) {
                    missing.addAll(silent);
                }
            }
            if (!told.isEmpty() && missing.isEmpty()) {
                return told;
            }
            List<String> wanted = List.copyOf(told.isEmpty() ? asked : missing);
            waiting.accept(wanted);
            if (round % ROUNDS_PER_LINE == 0) {
                LOG.info("{} has lost its data, and waits until {} say who the members are", self, wanted);
            }
            long rest = ASK_MILLIS - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            TimeUnit.MILLISECONDS.sleep(Math.max(0, rest));
        }
    }

    private Map<String, StatusReply> answers(Set<String> asked) throws InterruptedException {
        Map<String, CompletableFuture<StatusReply>> questions = new TreeMap<>();
        asked.forEach(name -> questions.put(name, peers.ask(name, ASK_MILLIS)));
        Map<String, StatusReply> answers = new HashMap<>();
        for (Map.Entry<String, CompletableFuture<StatusReply>> question : questions.entrySet()) {
            try {
                StatusReply answer = question.getValue().get();
                // Others have no data either, and know nothing.
                if (answer.getHasState()) {
                    answers.put(question.getKey(), answer);
                }
            } catch (ExecutionException e) {
                LOG.debug("no answer of {}", question.getKey(), e);
            }
        }
        return answers;
    }

    private static boolean hasTold(@Nullable StatusReply answer) {
        return answer != null && answer.getVotersCount() > 0;
    }

    /** The list of whoever has applied most. */
    private void learnAddresses(Map<String, StatusReply> answers) {
        answers.values().stream()
                .filter(answer -> answer.getMembersCount() > 0)
                .max(Comparator.comparingLong(StatusReply::getAppliedIndex))
                .ifPresent(answer -> members.agreed(answer.getMembersList().stream()
                        .collect(Collectors.toMap(Member::getName, Member::getAddress))));
    }

    private List<Electorate> told(Map<String, StatusReply> answers) {
        return answers.values().stream()
                .filter(VoterQuestions::hasTold)
                .map(answer -> electorate(answer.getVotersList()))
                .distinct()
                .toList();
    }

    private Electorate electorate(List<String> addresses) {
        Set<String> voters = addresses.stream().map(members::nameOf).collect(Collectors.toCollection(TreeSet::new));
        boolean withSelf = voters.remove(self);
        return new Electorate(voters, withSelf);
    }
}
