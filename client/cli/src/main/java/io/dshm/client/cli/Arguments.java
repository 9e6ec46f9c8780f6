package io.dshm.client.cli;

import io.dshm.proto.Doubles;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/** What stands behind a word, and the options of all words. */
final class Arguments {

    /** Before an argument that begins with a minus and is a number: without it, picocli would look for an option. */
    static final char NUMBER_MARK = '\0';

    private static final Map<String, Long> UNIT_MILLIS =
            Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L, "", 1000L);

    private final List<ParseResult> layers;
    private final @Nullable InputStream in;

    private Arguments(List<ParseResult> layers, @Nullable InputStream in) {
        this.layers = layers;
        this.in = in;
    }

    /**
     * Parses a line.
     *
     * @param outer whose options hold where the line does not say otherwise; null if there are none
     * @param in what {@code -} means; null if that is in use
     */
    static Arguments parse(@Nullable Arguments outer, @Nullable InputStream in, String... words) throws CliException {
        ParseResult all = Syntax.parse(marked(words));
        List<ParseResult> layers = new ArrayList<>();
        if (all.hasSubcommand()) {
            layers.add(all.subcommand());
        }
        layers.add(all);
        if (outer != null) {
            layers.addAll(outer.layers);
        }
        return new Arguments(layers, in);
    }

    private static String[] marked(String... words) {
        return Arrays.stream(words)
                .map(word -> word.matches("-([0-9.].*|inf|nan)") ? NUMBER_MARK + word : word)
                .toArray(String[]::new);
    }

    private static String unmarked(String argument) {
        return argument.isEmpty() || argument.charAt(0) != NUMBER_MARK ? argument : argument.substring(1);
    }

    /** The word; null if there is none. */
    @Nullable
    Word word() {
        return Words.named(layers.get(0).commandSpec().name());
    }

    boolean wantsHelp() {
        return layers.get(0).isUsageHelpRequested()
                || (layers.size() > 1 && layers.get(1).isUsageHelpRequested());
    }

    boolean wantsVersion() {
        return has("--version");
    }

    /** Whether one of these options is on the line itself. */
    boolean says(String... options) {
        return Arrays.stream(options)
                .anyMatch(option ->
                        layers.stream().limit(word() == null ? 1 : 2).anyMatch(l -> l.hasMatchedOption(option)));
    }

    /** The parameter at that place, from 0; null if it is left out. */
    @Nullable
    String at(int index) {
        String argument = layers.get(0).matchedPositionalValue(index, null);
        return argument == null ? null : unmarked(argument);
    }

    /** The parameter at that place, which picocli has found to be there. */
    String required(int index) {
        String argument = at(index);
        if (argument == null) {
            throw new IllegalStateException("parameter " + index + " is required");
        }
        return argument;
    }

    /** Whether an option is there. */
    boolean has(String option) {
        return layers.stream().anyMatch(layer -> layer.hasMatchedOption(option));
    }

    /** The value of an option; null if it is left out. */
    @Nullable
    String option(String option) {
        for (ParseResult layer : layers) {
            if (layer.hasMatchedOption(option)) {
                return unmarked(layer.matchedOptionValue(option, ""));
            }
        }
        return null;
    }

    /** The key at that place, in the region of {@code --region}. */
    Key key(int index) throws CliException {
        String region = option("--region");
        String name = required(index);
        byte[] bytes = (region == null ? name : region + "::" + name).getBytes(StandardCharsets.UTF_8);
        if (name.isEmpty() || bytes.length > Limits.LONG_KEY_BYTES_MAX) {
            throw CliException.usage("a key has 1 to " + Limits.LONG_KEY_BYTES_MAX + " bytes, not " + bytes.length);
        }
        for (byte character : bytes) {
            if (!Key.mayContain(character)) {
                throw CliException.usage(
                        "a key has no space and no control character: write them as in a URL, a space as %20");
            }
        }
        return Key.of(bytes);
    }

    /** The name of the region at that place, or of {@code --region}; empty for the default region. */
    byte[] region(int index) throws CliException {
        String name = at(index) == null ? option("--region") : at(index);
        if (name == null || name.isEmpty()) {
            throw CliException.usage("which region? Give its name, or : for the default region");
        }
        return (name.equals(":") ? "" : name).getBytes(StandardCharsets.UTF_8);
    }

    /** The value at that place: itself, what stdin has for {@code -}, what a file has for {@code @FILE}. */
    byte[] value(int index) throws CliException {
        String argument = required(index);
        if (argument.equals("-")) {
            return stdin();
        }
        if (argument.startsWith("@@") || !argument.startsWith("@")) {
            return (argument.startsWith("@@") ? argument.substring(1) : argument).getBytes(StandardCharsets.UTF_8);
        }
        return file(argument.substring(1));
    }

    /** The lines of stdin, or of a {@code @FILE}. */
    List<String> lines(int index) throws CliException {
        String source = at(index);
        if (source != null && !source.equals("-") && !source.startsWith("@")) {
            throw CliException.usage("- is stdin, and @FILE a file; not '" + source + "'");
        }
        byte[] bytes = source == null || source.equals("-") ? stdin() : file(source.substring(1));
        return new String(bytes, StandardCharsets.UTF_8).lines().toList();
    }

    private byte[] stdin() throws CliException {
        InputStream source = in;
        if (source == null) {
            throw CliException.usage("- is not possible here: stdin has the commands; use @FILE");
        }
        return read("stdin", source::readAllBytes);
    }

    private static byte[] file(String name) throws CliException {
        return read(name, () -> Files.readAllBytes(Path.of(name)));
    }

    private interface Source {
        byte[] read() throws IOException;
    }

    private static byte[] read(String name, Source source) throws CliException {
        try {
            return source.read();
        } catch (NoSuchFileException e) {
            throw CliException.usage("there is no file " + name + "; a value that begins with @ is written as @@...");
        } catch (IOException | InvalidPathException e) {
            throw CliException.usage(name + " cannot be read: " + e.getMessage());
        }
    }

    /** An integer at that place; the default if it is left out. */
    long integer(int index, String label, long defaultValue) throws CliException {
        String text = at(index);
        return text == null ? defaultValue : integer(text, label);
    }

    /** An integer in an option; the default if it is left out. */
    long integer(String option, long defaultValue) throws CliException {
        String text = option(option);
        return text == null ? defaultValue : integer(text, option);
    }

    private static long integer(String text, String label) throws CliException {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw CliException.usage(label + " is an integer of 64 bits, not '" + text + "'");
        }
    }

    /** A number of 0 or more, in an option. */
    long count(String option, long defaultValue, long max) throws CliException {
        return count(integer(option, defaultValue), option, max);
    }

    /** A number of 0 or more, at that place. */
    long count(int index, String label, long max) throws CliException {
        return count(integer(required(index), label), label, max);
    }

    private static long count(long number, String label, long max) throws CliException {
        if (number < 0 || number > max) {
            throw CliException.usage(label + " is 0 to " + max + ", not " + number);
        }
        return number;
    }

    /** A double. */
    static double number(String text, String label) throws CliException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (!Doubles.isNumber(bytes)) {
            throw CliException.usage(label + " is a number, not '" + text + "'");
        }
        return Doubles.parse(bytes);
    }

    /** Milliseconds in an option; the default if it is left out. */
    long millis(String option, long defaultMillis) throws CliException {
        String text = option(option);
        return text == null ? defaultMillis : millis(text, option);
    }

    /** Milliseconds of a duration: seconds, or a number with one of the units ms, s, m, h, d. Only zero is zero. */
    static long millis(String text, String label) throws CliException {
        String digits = text.replaceFirst("[a-z]*$", "");
        Long unit = UNIT_MILLIS.get(text.substring(digits.length()));
        if (unit == null || !digits.matches("[0-9]{1,18}(\\.[0-9]{1,18})?")) {
            throw CliException.usage(
                    label + " is a time: seconds, or a number with ms, s, m, h or d, as in 30m; not '" + text + "'");
        }
        return new BigDecimal(digits)
                .multiply(BigDecimal.valueOf(unit))
                .setScale(0, RoundingMode.CEILING)
                .min(BigDecimal.valueOf(Limits.TTL_MILLIS_MAX))
                .longValueExact();
    }

    /** The mode of {@code --read}; null if it is left out. */
    @Nullable
    ReadMode readMode() throws CliException {
        String name = option("--read");
        for (ReadMode mode : ReadMode.values()) {
            if (name == null || mode.wireName().equals(name.toLowerCase(Locale.ROOT))) {
                return name == null ? null : mode;
            }
        }
        String names = Arrays.stream(ReadMode.values()).map(ReadMode::wireName).collect(Collectors.joining(", "));
        throw CliException.usage("--read is one of " + names + ", not '" + name + "'");
    }
}
