package io.dshm.server.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list that grows and shrinks at both ends. Immutable, its elements included: each is a {@code byte[]}, which nobody
 * changes, or a {@link Double}.
 *
 * <p>How it works: two chains, one from each end inwards, shared with the lists that this one was made of. To add or
 * take an element is to add or leave out one link. When the chain of an end is empty, the other one is cut in half, and its
 * inner half turned around; so an operation costs one link on average, in whatever order they come, and now and then as many
 * as there are elements.
 */
public final class ListValue {

    /** A list without elements. */
    public static final ListValue EMPTY = new ListValue(new Chain(null, 0), new Chain(null, 0), 0);

    /** What an element counts for in {@link #bytes} beside its bytes: a link, an array's header, and what that is rounded up. */
    private static final long ELEMENT_BYTES = 48;

    private record Link(Object element, @Nullable Link next) {}

    /** Elements from an end inwards. */
    private record Chain(@Nullable Link first, int size) {

        Chain with(Object element) {
            return new Chain(new Link(element, first), size + 1);
        }

        /** All elements, this chain's end first. */
        List<Object> elements() {
            List<Object> elements = new ArrayList<>(size);
            for (Link link = first; link != null; link = link.next) {
                elements.add(link.element);
            }
            return elements;
        }

        /** The chain of these elements, whose end is the first of them. */
        static Chain of(List<Object> elements) {
            Chain chain = EMPTY.left;
            for (int i = elements.size() - 1; i >= 0; i--) {
                chain = chain.with(elements.get(i));
            }
            return chain;
        }
    }

    private final Chain left;
    private final Chain right;
    private final long bytes;

    private ListValue(Chain left, Chain right, long bytes) {
        this.left = left;
        this.right = right;
        this.bytes = bytes;
    }

    /**
     * This list with one more element.
     *
     * @param element a {@code byte[]} or a {@link Double}
     */
    public ListValue push(boolean atLeft, Object element) {
        long grown = bytes + bytesOf(element);
        return atLeft
                ? new ListValue(left.with(element), right, grown)
                : new ListValue(left, right.with(element), grown);
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
        Chain near = atLeft ? left : right;
        Chain far = atLeft ? right : left;
        if (near.first == null) {
            List<Object> elements = far.elements();
            int outer = elements.size() / 2;
            far = Chain.of(elements.subList(0, outer));
            List<Object> inner = elements.subList(outer, elements.size());
            Collections.reverse(inner);
            near = Chain.of(inner);
        }
        Link first = near.first;
        if (first == null) {
            throw new IllegalStateException("the list is empty");
        }
        Chain shorter = new Chain(first.next, near.size - 1);
        long shrunk = bytes - bytesOf(first.element);
        ListValue rest = atLeft ? new ListValue(shorter, far, shrunk) : new ListValue(far, shorter, shrunk);
        return new Popped(first.element, rest);
    }

    /** The number of elements. */
    public int size() {
        return left.size + right.size;
    }

    /** What the list takes in memory, by its elements alone: 48 bytes and its own for each, eight of them for a number. */
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
        List<Object> elements = left.elements();
        Deque<Object> turned = new ArrayDeque<>(right.size + 1);
        right.elements().forEach(turned::push);
        elements.addAll(turned);
        return elements;
    }
}
