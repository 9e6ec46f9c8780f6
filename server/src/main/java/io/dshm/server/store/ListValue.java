package io.dshm.server.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A list that grows and shrinks at both ends. Immutable, its elements included: each is a {@code byte[]}, which nobody
 * changes, or a {@link Double}.
 *
 * <p>How it works: a list is a block of at most {@value Ends#BLOCK_MAX} elements at each end, and between them, if
 * there are more, a list of full blocks, which is made in the same way. To add or take an element is to copy the block
 * at that end; when it is full or empty, a block goes to the inner list or comes from it. So a step copies a block for
 * each level, whatever was done to the list before, and the longest list there can be has four.
 */
public final class ListValue {

    /** A list without elements. */
    public static final ListValue EMPTY = new ListValue(Ends.EMPTY, 0, 0);

    /**
     * What an element counts for in {@link #bytes} beside its bytes: at least what it takes, the same for all nodes and
     * all versions.
     */
    private static final long ELEMENT_BYTES = 48;

    /**
     * The elements of a list, or the blocks of one.
     *
     * @param inner full blocks between both ends, which may both be without elements; null if there are none
     */
    @SuppressWarnings("ArrayRecordComponent") // not compared; shared between lists
    private record Ends(Object[] left, @Nullable Ends inner, Object[] right) {

        static final int BLOCK_MAX = 64;

        private static final Object[] NOTHING = {};

        static final Ends EMPTY = new Ends(NOTHING, null, NOTHING);

        private Object[] end(boolean atLeft) {
            return atLeft ? left : right;
        }

        /** The same with other elements at one end, and others between the ends. */
        private Ends with(boolean atLeft, Object[] end, @Nullable Ends newInner) {
            return atLeft ? new Ends(end, newInner, right) : new Ends(left, newInner, end);
        }

        Ends push(boolean atLeft, Object element) {
            Object[] end = end(atLeft);
            if (end.length == BLOCK_MAX) {
                return with(atLeft, new Object[] {element}, (inner == null ? EMPTY : inner).push(atLeft, end));
            }
            Object[] more = new Object[end.length + 1];
            System.arraycopy(end, 0, more, atLeft ? 1 : 0, end.length);
            more[atLeft ? 0 : end.length] = element;
            return with(atLeft, more, inner);
        }

        boolean isEmpty() {
            return left.length == 0 && right.length == 0 && inner == null;
        }

        /** The outermost element at one end; there is one. */
        Object first(boolean atLeft) {
            Object[] end = end(atLeft);
            return end.length > 0
                    ? end[atLeft ? 0 : end.length - 1]
                    : filled(atLeft).first(atLeft);
        }

        /** What is left without that one. */
        Ends rest(boolean atLeft) {
            Object[] end = end(atLeft);
            if (end.length == 0) {
                return filled(atLeft).rest(atLeft);
            }
            int from = atLeft ? 1 : 0;
            return with(
                    atLeft, end.length == 1 ? NOTHING : Arrays.copyOfRange(end, from, from + end.length - 1), inner);
        }

        /** The same elements with some at an end that is empty: a block of the inner list, or else the other end. */
        private Ends filled(boolean atLeft) {
            if (inner == null) {
                return new Ends(/* left= */ right, null, /* right= */ left);
            }
            Ends others = inner.rest(atLeft);
            return with(atLeft, (Object[]) inner.first(atLeft), others.isEmpty() ? null : others);
        }

        /** From left to right. */
        void forEach(Consumer<Object> consumer) {
            forEach(left, consumer);
            if (inner != null) {
                inner.forEach(block -> forEach((Object[]) block, consumer));
            }
            forEach(right, consumer);
        }

        private static void forEach(Object[] block, Consumer<Object> consumer) {
            for (Object element : block) {
                consumer.accept(element);
            }
        }
    }

    private final Ends ends;
    private final int size;
    private final long bytes;

    private ListValue(Ends ends, int size, long bytes) {
        this.ends = ends;
        this.size = size;
        this.bytes = bytes;
    }

    /**
     * This list with one more element.
     *
     * @param element a {@code byte[]} or a {@link Double}
     */
    public ListValue push(boolean atLeft, Object element) {
        return new ListValue(ends.push(atLeft, element), size + 1, bytes + bytesOf(element));
    }

    /**
     * What {@link #pop} has taken and left.
     *
     * @param element a {@code byte[]} or a {@link Double}
     */
    public record Popped(Object element, ListValue rest) {}

    /**
     * Takes the element at one end.
     *
     * @throws IllegalStateException if there is none
     */
    public Popped pop(boolean atLeft) {
        if (size == 0) {
            throw new IllegalStateException("the list is empty");
        }
        Object element = ends.first(atLeft);
        return new Popped(element, new ListValue(ends.rest(atLeft), size - 1, bytes - bytesOf(element)));
    }

    /** The number of elements. */
    public int size() {
        return size;
    }

    /** What the list counts for, by its elements alone: 48 bytes and its own for each, eight of them for a number. */
    public long bytes() {
        return bytes;
    }

    private static long bytesOf(Object element) {
        return bytesOf(element instanceof byte[] string ? string.length : Double.BYTES);
    }

    static long bytesOf(int elementBytes) {
        return ELEMENT_BYTES + elementBytes;
    }

    /** All elements, from left to right. */
    public List<Object> elements() {
        List<Object> elements = new ArrayList<>(size);
        ends.forEach(elements::add);
        return elements;
    }
}
