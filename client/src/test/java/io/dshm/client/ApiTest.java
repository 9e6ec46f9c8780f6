package io.dshm.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The public API is what stands in {@code src/test/resources/api.txt}. No version has been released yet that a tool such as japicmp could compare
 * with, so the record is this file: whoever changes the API sees in it what programs lose, and what they get.
 *
 * <p>{@code -Ddshm.api.write=true} writes it anew.
 */
class ApiTest {

    private static final Path RECORD = Path.of("src/test/resources/api.txt");

    @Test
    void the_public_api_is_what_is_recorded() throws IOException, URISyntaxException {
        String api = String.join("\n", api()) + "\n";
        if (Boolean.getBoolean("dshm.api.write")) {
            Files.writeString(RECORD, api);
        }
        assertEquals(
                Files.readString(RECORD),
                api,
                "the public API has changed: if that is meant, run this test with -Ddshm.api.write=true, and say in the change what programs have to do");
    }

    private static List<String> api() throws IOException, URISyntaxException {
        Path classes = Path.of(DshmClient.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.walk(classes.resolve("io/dshm/client"))) {
            files.map(file -> classes.relativize(file).toString().replace('/', '.'))
                    .filter(name -> !name.startsWith("io.dshm.client.internal."))
                    .filter(name -> name.endsWith(".class") && !name.endsWith("package-info.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .forEach(name -> add(load(name), lines));
        }
        return lines;
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, DshmClient.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static void add(Class<?> type, List<String> lines) {
        for (Class<?> around = type; around != null; around = around.getEnclosingClass()) {
            if (!isPublic(around.getModifiers())) {
                return;
            }
        }
        lines.add(type.toGenericString() + supertypes(type));
        SortedSet<String> members = new TreeSet<>();
        for (Field field : type.getDeclaredFields()) {
            if (isPublic(field.getModifiers()) && !field.isSynthetic()) {
                members.add(field.toGenericString() + deprecated(field));
            }
        }
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            addIfPublic(constructor, members);
        }
        for (Method method : type.getDeclaredMethods()) {
            addIfPublic(method, members);
        }
        members.forEach(member -> lines.add("    " + member));
    }

    private static void addIfPublic(Executable executable, SortedSet<String> members) {
        if (isPublic(executable.getModifiers()) && !executable.isSynthetic()) {
            members.add(executable.toGenericString() + deprecated(executable));
        }
    }

    private static boolean isPublic(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    private static String deprecated(AnnotatedElement element) {
        return element.isAnnotationPresent(Deprecated.class) ? " deprecated" : "";
    }

    private static String supertypes(Class<?> type) {
        String above = type.getSuperclass() == null || type.getSuperclass() == Object.class
                ? ""
                : " extends " + type.getGenericSuperclass().getTypeName();
        String interfaces = Arrays.stream(type.getGenericInterfaces())
                .map(one -> one.getTypeName())
                .sorted()
                .collect(Collectors.joining(", "));
        return above + (interfaces.isEmpty() ? "" : " implements " + interfaces);
    }
}
