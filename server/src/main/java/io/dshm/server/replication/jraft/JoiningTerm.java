package io.dshm.server.replication.jraft;

import io.dshm.proto.Limits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The term in which a node that lost its data may take part again, from what the other members say of theirs. Confined
 * to one thread.
 *
 * <p>The node, C, has forgotten three promises: to take nothing from a leader of an earlier term than its own, not to
 * vote twice in a term, and to keep the entries that it had acknowledged. Why Raft's promises hold all the same, with n
 * members and majorities of q = n / 2 + 1:
 *
 * <ol>
 *   <li><b>Its acknowledgements.</b> They could only do harm in a term t while a leader of a later term u lacks the
 *       entry: one that was elected with a vote that C has forgotten. That leader's majority has q - 1 members beside
 *       C, and each of them has a term of u at least since it voted. So C asks the others, after it has started, for
 *       their terms, and takes part in the highest of them, T, and in later ones only. n - q + 1 of the n - 1 others
 *       cannot miss those q - 1: then T &gt;= u &gt; t, and C refuses what comes in t. (Of three members these are both
 *       others, of five three.)
 *   <li><b>A vote that was still under way.</b> A candidate may have got C's vote before C lost its data, and get the
 *       last one that it needs after the others have told C their terms. The candidate itself has had that term since
 *       before C voted, so nothing is missed if <em>all</em> others have answered. If some are silent, C waits for
 *       {@code patience} first, and counts only what it hears then: in that time every candidate of before has given
 *       up, and every request for votes of before has arrived or is lost. This is the one place where a time is relied
 *       upon, and only with four members or more of which one is away: with two or three, n - q + 1 are all others.
 *   <li><b>Its vote.</b> C counts its vote in T as given. It votes in later terms, but not before its log is as good as
 *       the one it lost: when it has applied an entry that was proposed after its start, in T or later (its own
 *       registration). The leader of that entry holds all entries that C had acknowledged and that are or can still be
 *       committed with that acknowledgement: it is either the leader that C got them from, or it was elected, without
 *       C's new vote, by a majority in which somebody had them, maybe C itself before its loss. What precedes that
 *       entry in the leader's log precedes it in C's. From then on C holds all that it ever promised.
 * </ol>
 *
 * <p><b>Members that change.</b> Which members there are the node has to hear, too: its setting may be old. Each other
 * member tells the newest configuration in its log. A change of one voter is first a joint configuration, which a
 * majority of the old voters has in its log before the new ones count alone. So if C has heard n - q + 1 of the others
 * in some configuration, one of them knows of the one that followed it, unless no majority had it; and C has to hear as
 * many of that one, and so on, until nobody names another one. A configuration that one more voter makes, or one less,
 * may be about to be agreed on with an acknowledgement of C that is still under way: so C hears as many as each of
 * those would ask for (with an even number of voters one more than n - q + 1). All configurations that were told count,
 * also older ones.
 *
 * <p>A configuration in which C has no vote asks for less: C's acknowledgements and votes count for nothing in it, and
 * before it is made a voter again, it follows a leader, and so has its term. C only has to be sure that it has no vote:
 * see {@link Electorate#needed}.
 *
 * <p>The others' answers must come from members that have not forgotten anything themselves: one that lost its data,
 * too, says 0 until it votes again, and is not counted. So after one loss, or several up to n - q at a time or one
 * after the other, C's successor on the same machine included, the same argument holds for each. When more than n - q
 * members have lost their data, those that are left are less than n - q + 1, and nobody joins: an acknowledged write
 * may be lost then, and only an operator can decide what to do. A node that starts again before it votes asks again;
 * its own term, which is on its disk, is never lowered.
 */
final class JoiningTerm {

    /** What one member says, and since when the node had been waiting when it was asked. */
    private record Answer(long term, long askedNanos) {}

    private final List<String> others;
    private final List<Electorate> electorates;
    private final long patienceNanos;
    private final Map<String, Answer> answers = new HashMap<>();

    /**
     * Nobody has answered.
     *
     * @param electorates the other voters of each configuration that may count, one configuration at least
     * @param patienceNanos after which those that are silent need not be waited for any longer
     */
    JoiningTerm(List<Electorate> electorates, long patienceNanos) {
        this.electorates = List.copyOf(electorates);
        this.others = electorates.stream()
                .flatMap(voters -> voters.others().stream())
                .distinct()
                .sorted()
                .toList();
        this.patienceNanos = patienceNanos;
    }

    /**
     * A member has told its term.
     *
     * @param term 0 if that member has lost its data, too, or has not been through an election yet: it does not count.
     *     Nor does one that no group can have come to, see {@link Limits#TERM_JUMP_MAX}: it would be this node's last
     *     term
     * @param askedNanos when it was asked, counted from this node's start
     */
    void heard(String member, long term, long askedNanos) {
        if (!others.contains(member)) {
            throw new IllegalArgumentException(member + " is none of " + others);
        }
        if (term > 0 && term <= Limits.TERM_JUMP_MAX) {
            answers.put(member, new Answer(term, askedNanos));
        }
    }

    /** Whether enough have answered. */
    boolean isKnown() {
        if (answers.size() == others.size()) {
            return true;
        }
        return electorates.stream().allMatch(voters -> {
            long late = voters.others().stream()
                    .map(answers::get)
                    .filter(answer -> answer != null && answer.askedNanos >= patienceNanos)
                    .count();
            return late >= voters.needed();
        });
    }

    /** The highest term that was told. It counts once it {@link #isKnown}. */
    long highest() {
        return answers.values().stream().mapToLong(Answer::term).max().orElse(0);
    }

    /** Those that have not answered yet. */
    List<String> missing() {
        List<String> missing = new ArrayList<>(others);
        missing.removeAll(answers.keySet());
        return missing;
    }
}
