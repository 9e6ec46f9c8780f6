package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class JoiningTermTest {

    private static final long PATIENCE = 100;
    private static final long EARLY = PATIENCE - 1;
    private static final long LATE = PATIENCE;

    private static Electorate voters(String... others) {
        return new Electorate(Set.of(others), true);
    }

    private static JoiningTerm of(String... others) {
        return new JoiningTerm(List.of(voters(others)), PATIENCE);
    }

    @Test
    void of_three_members_both_others_must_answer_however_long_it_takes() {
        JoiningTerm three = of("a", "b");
        assertFalse(three.isKnown());
        three.heard("a", 1, EARLY);
        assertFalse(three.isKnown());
        three.heard("a", 1, 1000 * LATE);
        assertFalse(three.isKnown());
        assertEquals(List.of("b"), three.missing());
        three.heard("b", 2, EARLY);
        assertTrue(three.isKnown());
        assertEquals(2, three.highest());
    }

    @Test
    void of_two_members_the_other_one_must_answer() {
        JoiningTerm two = of("a");
        assertFalse(two.isKnown());
        two.heard("a", 7, EARLY);
        assertTrue(two.isKnown());
        assertEquals(7, two.highest());
    }

    @Test
    void a_term_that_cannot_be_is_no_answer() {
        JoiningTerm two = of("a");
        two.heard("a", Long.MAX_VALUE, EARLY);
        assertFalse(two.isKnown());
        assertEquals(List.of("a"), two.missing());
    }

    @Test
    void of_five_members_all_others_suffice_at_once_and_three_only_after_a_while() {
        JoiningTerm five = of("a", "b", "d", "e");
        five.heard("a", 4, EARLY);
        five.heard("b", 3, EARLY);
        five.heard("d", 5, EARLY);
        assertFalse(five.isKnown(), "e could become the leader of a later term, with a vote that is forgotten");
        five.heard("e", 6, EARLY);
        assertTrue(five.isKnown());
        assertEquals(6, five.highest());

        JoiningTerm silent = of("a", "b", "d", "e");
        silent.heard("a", 4, EARLY);
        silent.heard("b", 3, LATE);
        silent.heard("d", 5, LATE);
        assertFalse(silent.isKnown(), "a has not answered since");
        silent.heard("a", 5, LATE);
        assertTrue(silent.isKnown());
        assertEquals(5, silent.highest());
        assertEquals(List.of("e"), silent.missing());
    }

    @Test
    void of_five_members_two_do_not_suffice_however_long_it_takes() {
        JoiningTerm five = of("a", "b", "d", "e");
        five.heard("a", 4, LATE);
        five.heard("b", 4, 1000 * LATE);
        assertFalse(five.isKnown());
    }

    @Test
    void of_four_members_all_others_must_answer_because_a_fifth_may_be_about_to_come() {
        JoiningTerm four = of("a", "b", "d");
        four.heard("a", 4, LATE);
        four.heard("b", 4, LATE);
        assertFalse(four.isKnown(), "d and e may have elected a leader with a vote that is forgotten");
        four.heard("d", 4, EARLY);
        assertTrue(four.isKnown());
    }

    /** Whatever the members do within one change: of each majority with this node somebody else is heard. */
    @Test
    void so_many_are_heard_that_no_majority_with_this_node_is_missed_also_after_one_change() {
        for (int others = 2; others <= 8; others++) {
            int silent = others - needed(others, true);
            // A majority is missed if all of this node's companions in it are silent, or new.
            assertTrue(silent < companions(others + 1), "as it is, with " + others);
            assertTrue(silent + 1 < companions(others + 2), "with one more than " + others);
            assertTrue(silent < companions(others), "with one less than " + others);
        }
    }

    private static int needed(int others, boolean withSelf) {
        Set<String> names = IntStream.range(0, others).mapToObj(i -> "m" + i).collect(Collectors.toSet());
        return new Electorate(names, withSelf).needed();
    }

    /** It only has to know whether it has been made a voter, which a majority of the others has in its log then. */
    @Test
    void a_node_that_has_no_vote_need_not_hear_one_that_is_dead() {
        JoiningTerm fourth = new JoiningTerm(List.of(new Electorate(Set.of("a", "b", "d"), false)), PATIENCE);
        fourth.heard("a", 4, LATE);
        assertFalse(fourth.isKnown());
        fourth.heard("b", 4, LATE);
        assertTrue(fourth.isKnown());
        for (int others = 1; others <= 8; others++) {
            int silent = others - needed(others, false);
            assertTrue(silent < MemberChanges.Roles.majorityOf(others), "of " + others);
            assertTrue(silent < companions(others + 1), "if it has been made one, of " + others);
        }
    }

    private static int companions(int voters) {
        return MemberChanges.Roles.majorityOf(voters) - 1;
    }

    @Test
    void each_configuration_that_was_told_counts() {
        JoiningTerm both = new JoiningTerm(List.of(voters("a", "b", "d", "e"), voters("d", "e", "f", "g")), PATIENCE);
        for (String member : List.of("a", "b", "d")) {
            both.heard(member, 4, LATE);
        }
        assertFalse(both.isKnown());
        both.heard("e", 4, LATE);
        both.heard("g", 6, LATE);
        assertTrue(both.isKnown());
        assertEquals(6, both.highest());
        assertEquals(List.of("f"), both.missing());
    }

    @Test
    void a_member_that_has_lost_its_data_itself_does_not_count() {
        JoiningTerm three = of("a", "b");
        three.heard("a", 3, EARLY);
        three.heard("b", 0, LATE);
        assertFalse(three.isKnown());
        assertEquals(List.of("b"), three.missing());
    }

    @Test
    void strangers_do_not_count() {
        assertThrows(IllegalArgumentException.class, () -> of("a").heard("x", 3, LATE));
    }
}
