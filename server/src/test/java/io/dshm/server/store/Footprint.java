package io.dshm.server.store;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What objects take on a 64-bit JVM with compressed pointers: arrays, boxed numbers, and objects of this project. */
final class Footprint {

    private static final int REFERENCE_BYTES = 4;
    private static final int HEADER_BYTES = 12;
    private static final int ARRAY_HEADER_BYTES = 16;

    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Deque<Object> toDo = new ArrayDeque<>();
    private long bytes;

    private Footprint() {}

    /** Of that object and all that it refers to. */
    static Footprint of(Object root) throws IllegalAccessException {
        Footprint all = new Footprint();
        all.add(root);
        while (!all.toDo.isEmpty()) {
            all.measure(all.toDo.pop());
        }
        return all;
    }

    long bytes() {
        return bytes;
    }

    int objects() {
        return seen.size();
    }

    private void add(@Nullable Object object) {
        if (object != null && !(object instanceof Enum) && !(object instanceof Boolean) && seen.add(object)) {
            toDo.push(object);
        }
    }

    private void measure(Object object) throws IllegalAccessException {
        Class<?> type = object.getClass();
        if (type.isArray()) {
            int length = Array.getLength(object);
            bytes += rounded(ARRAY_HEADER_BYTES + (long) length * bytesOf(type.getComponentType()));
            if (object instanceof Object[] elements) {
                for (Object element : elements) {
                    add(element);
                }
            }
        } else if (object instanceof Double) {
            bytes += rounded(HEADER_BYTES + Double.BYTES);
        } else {
            measureFields(object, type);
        }
    }

    private void measureFields(Object object, Class<?> type) throws IllegalAccessException {
        long size = HEADER_BYTES;
        for (Class<?> each = type; each != Object.class; each = each.getSuperclass()) {
            for (Field field : each.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers())) {
                    size += bytesOf(field.getType());
                    if (!field.getType().isPrimitive()) {
                        field.setAccessible(true);
                        add(field.get(object));
                    }
                }
            }
        }
        bytes += rounded(size);
    }

    private static int bytesOf(Class<?> type) {
        if (type == long.class || type == double.class) {
            return Long.BYTES;
        }
        if (type == byte.class || type == boolean.class) {
            return Byte.BYTES;
        }
        return REFERENCE_BYTES;
    }

    private static long rounded(long size) {
        return (size + 7) & -8;
    }
}
