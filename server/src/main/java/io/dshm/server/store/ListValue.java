package io.dshm.server.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list that grows and shrinks at both ends. Immutable, its elements included: each is a {@code byte[]}, which nobody
 * changes, or a {@link Double}.
 *
 * <p>How it works: two chains of blocks, one from each end inwards, shared with the lists that this one was made of. To add or
 * take an element is to copy the outermost block, of {@value #BLOCK_MAX} elements at most. When the chain of an end is empty,
 * the other one is cut in half, and its inner half turned around: a link for each block, no element is touched. For the
 * longest list there can be those are some ten thousand, and that comes when as many elements have come or gone
 * as half of the list has; or again and again on the same list, by MULTIs that take an element and are then abandoned.
 */
public final class ListValue {

    /** A list without elements. */
    public static final ListValue EMPTY = new ListValue(new Chain(null, 0, 0), new Chain(null, 0, 0), 0);

    /**
     * What an element counts for in {@link #bytes} beside its bytes: at least what it takes, the same for all nodes and all
     * versions.
     */
    private static final long ELEMENT_BYTES = 48;

    /** Elements of a block. More make turning cheaper, and every push and pop dearer. */
    private static final int BLOCK_MAX = 64;

    private static final Object[] NOTHING = {};

    /**
     * A block of a chain and what is further inwards.
     *
     * @param turned whether the elements stand from the inside outwards, instead of from the outside inwards
     */
    @SuppressWarnings("ArrayRecordComponent") // not compared; shared between turned and unturned links
    private record Link(
            Object[] elements, boolean turned, @Nullable Link next) {

        Object outermost() {
            return elements[turned ? elements.length - 1 : 0];
        }

        /** A block with one element more at the outside. */
        Link with(Object element) {
            Object[] more;
            if (turned) {
                more = Arrays.copyOf(elements, elements.length + 1);
                more[elements.length] = element;
            } else {
                more = new Object[elements.length + 1];
                System.arraycopy(elements, 0, more, 1, elements.length);
                more[0] = element;
            }
            return new Link(more, turned, next);
        }

        /** What is left without the outermost element. */
        @Nullable
        Link rest() {
            if (elements.length == 1) {
                return next;
            }
            int from = turned ? 0 : 1;
            return new Link(Arrays.copyOfRange(elements, from, from + elements.length - 1), turned, next);
        }
    }

    /** Elements from an end inwards. */
    private record Chain(@Nullable Link first, int blocks, int size) {

        Chain with(Object element) {
            return first == null || first.elements.length == BLOCK_MAX
                    ? new Chain(new Link(NOTHING, false, first).with(element), blocks + 1, size + 1)
                    : new Chain(first.with(element), blocks, size + 1);
        }

        /** Without its outermost element; there is one. */
        Chain rest(Link outermost) {
            return new Chain(outermost.rest(), outermost.elements.length == 1 ? blocks - 1 : blocks, size - 1);
        }

        /** All blocks, from the outside inwards. */
        List<Link> links() {
            List<Link> links = new ArrayList<>(blocks);
            for (Link link = first; link != null; link = link.next) {
                links.add(link);
            }
            return links;
        }

        /** Adds all elements, from the outside inwards or the other way. */
        void addTo(List<Object> elements, boolean inwards) {
            List<Link> links = links();
            for (int i = 0; i < links.size(); i++) {
                Link link = links.get(inwards ? i : links.size() - 1 - i);
                boolean forward = inwards != link.turned;
                for (int k = 0; k < link.elements.length; k++) {
                    elements.add(link.elements[forward ? k : link.elements.length - 1 - k]);
                }
            }
        }

        /** The outer blocks of a chain, from the outside inwards, as a chain. */
        static Chain outer(List<Link> links) {
            Chain chain = EMPTY.left;
            for (int i = links.size() - 1; i >= 0; i--) {
                chain = chain.with(links.get(i), false);
            }
            return chain;
        }

        /** The inner blocks of a chain, from the outside inwards, as a chain from the other end. */
        static Chain inner(List<Link> links) {
            Chain chain = EMPTY.left;
            for (Link link : links) {
                chain = chain.with(link, true);
            }
            return chain;
        }

        private Chain with(Link link, boolean turn) {
            return new Chain(
                    new Link(link.elements, link.turned != turn, first), blocks + 1, size + link.elements.length);
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
            List<Link> links = far.links();
            int outer = links.size() / 2;
            far = Chain.outer(links.subList(0, outer));
            near = Chain.inner(links.subList(outer, links.size()));
        }
        Link first = near.first;
        if (first == null) {
            throw new IllegalStateException("the list is empty");
        }
        Object element = first.outermost();
        Chain shorter = near.rest(first);
        long shrunk = bytes - bytesOf(element);
        ListValue rest = atLeft ? new ListValue(shorter, far, shrunk) : new ListValue(far, shorter, shrunk);
        return new Popped(element, rest);
    }

    /** The number of elements. */
    public int size() {
        return left.size + right.size;
    }

    /** Blocks that one step may have to link anew. */
    int blockCount() {
        return left.blocks + right.blocks;
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
        List<Object> elements = new ArrayList<>(size());
        left.addTo(elements, true);
        right.addTo(elements, false);
        return elements;
    }
}
