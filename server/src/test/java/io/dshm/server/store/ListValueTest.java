package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ListValueTest {

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** A list, and a deque to which the same is done. */
    private static final class Both {

        private final Deque<Object> expected = new ArrayDeque<>();
        private final String what;
        private ListValue list = ListValue.EMPTY;

        Both(String what) {
            this.what = what;
        }

        void push(boolean atLeft, Object element) {
            list = list.push(atLeft, element);
            if (atLeft) {
                expected.addFirst(element);
            } else {
                expected.addLast(element);
            }
        }

        /** Nothing if there is nothing. */
        void pop(boolean atLeft) {
            if (!expected.isEmpty()) {
                ListValue.Popped popped = list.pop(atLeft);
                assertEquals(atLeft ? expected.removeFirst() : expected.removeLast(), popped.element(), what);
                list = popped.rest();
            }
        }

        void assertAlike() {
            assertEquals(expected.size(), list.size(), what);
            assertEquals(new ArrayList<>(expected), list.elements(), what);
            assertEquals(
                    expected.stream()
                            .mapToLong(e -> 48 + (e instanceof byte[] bytes ? bytes.length : 8))
                            .sum(),
                    list.bytes());
        }
    }

    @Test
    void a_list_agrees_with_a_deque_whatever_is_done_to_its_ends() {
        long seed = Keys.seed();
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            Both both = new Both("seed " + seed);
            int pushPercent = 20 + random.nextInt(70);
            for (int step = 0; step < 600; step++) {
                boolean atLeft = random.nextBoolean();
                if (random.nextInt(100) < pushPercent) {
                    both.push(atLeft, random.nextBoolean() ? (Object) (double) step : Keys.bytes("e" + step));
                } else {
                    both.pop(atLeft);
                }
                both.assertAlike();
            }
        }
    }

    @Test
    void a_list_does_not_change_with_those_that_are_made_of_it() {
        ListValue three = ListValue.EMPTY.push(false, 1.0).push(false, 2.0).push(false, 3.0);
        ListValue.Popped first = three.pop(true);
        three.push(true, 0.0);
        assertEquals(1.0, first.element());
        assertEquals(List.of(2.0, 3.0), first.rest().elements());
        assertEquals(List.of(1.0, 2.0, 3.0), three.elements());
        assertThrows(IllegalStateException.class, () -> ListValue.EMPTY.pop(true));
    }

    /** What is copied is allocated, and that can be counted. A step that is taken again and again on the same list counts each time. */
    @Test
    void no_step_on_the_longest_list_copies_more_than_a_block_of_each_level() {
        int longest = Limits.LIST_BYTES_MAX / (Limits.ELEMENT_OVERHEAD_BYTES + Double.BYTES);
        Double element = 1.0;
        ListValue list = ListValue.EMPTY;
        long most = 0;
        for (int i = 0; i < longest; i++) {
            list = list.push(false, element);
            most = Math.max(most, popBytes(list));
        }
        for (int step = 0; step < 2_000; step++) {
            list = list.pop(step % 500 < 250).rest().push(step % 300 < 150, element);
            most = Math.max(most, popBytes(list));
        }
        assertEquals(longest, list.size());
        assertTrue(most <= 8 * 1024, most + " bytes");
    }

    private static long popBytes(ListValue list) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        list.pop(true);
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    /** Long enough that blocks of blocks are inside, while one end or both are without elements. */
    @Test
    void what_comes_and_goes_at_one_end_is_a_stack_and_the_other_end_has_the_rest() {
        for (boolean atLeft : List.of(true, false)) {
            for (int elements : List.of(129, 4_161, 10_000, 300_000)) {
                ListValue list = ListValue.EMPTY;
                for (int i = 0; i < elements; i++) {
                    list = list.push(atLeft, (double) i);
                }
                ListValue stack = list;
                ListValue queue = list;
                for (int i = 0; i < elements; i++) {
                    ListValue.Popped last = stack.pop(atLeft);
                    assertEquals((double) (elements - 1 - i), last.element());
                    stack = last.rest();
                    ListValue.Popped first = queue.pop(!atLeft);
                    assertEquals((double) i, first.element());
                    queue = first.rest();
                    if (i % 10_007 == 0) {
                        assertEquals(elements - 1 - i, stack.elements().size());
                        assertEquals(elements - 1 - i, queue.elements().size());
                    }
                }
            }
        }
    }

    @Test
    void long_lists_agree_with_a_deque_too_whose_ends_grow_and_shrink_for_a_while() {
        long seed = Keys.seed();
        Random random = new Random(seed);
        Both both = new Both("seed " + seed);
        for (int run = 0; run < 60; run++) {
            boolean atLeft = random.nextBoolean();
            boolean push = random.nextInt(100) < 55;
            for (int step = random.nextInt(20_000); step > 0; step--) {
                if (push) {
                    both.push(atLeft, (double) step);
                } else {
                    both.pop(atLeft);
                }
            }
            both.assertAlike();
        }
    }

    @Test
    void elements_that_come_at_one_end_and_go_at_the_other_keep_their_order() {
        ListValue list = ListValue.EMPTY;
        for (int i = 0; i < 20_000; i++) {
            list = list.push(false, (double) i);
        }
        for (int i = 0; i < 200_000; i++) {
            ListValue.Popped popped = list.pop(true);
            assertEquals((double) i, popped.element());
            list = popped.rest().push(false, (double) (i + 20_000));
        }
    }
}
