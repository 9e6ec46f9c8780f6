package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.text.RequestEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of words against the verbs of the protocol. */
class WordsTest {

    /** What says them instead of a word: options of all words, and the end of the process. */
    private static final Set<String> WITHOUT_WORD = Set.of("READ_MODE", "SHARES", "AUTH", "QUIT");

    /** A line for each verb, and what it sends. */
    private static final Map<String, String> LINES = Map.ofEntries(
            Map.entry("get k --read linearizable", "GET k read=linearizable"),
            Map.entry("fetch k --stale", "FETCH k stale=yes"),
            Map.entry("stat --region r k", "STAT r::k"),
            Map.entry("ttl k", "STAT k"),
            Map.entry("usage :", "REGION :"),
            Map.entry("set k v --ttl 1m", "SET k 60 1 v"),
            Map.entry("add k v --ttl 0.5", "PUT k 0.500 1 type=raw if=absent v"),
            Map.entry("cas k 7 v", "PUT k 0 1 type=raw if=7 v"),
            Map.entry(
                    "put k 1 --type number --flags 4294967295 --if present --full evict",
                    "PUT k 0 1 type=number flags=4294967295 if=present full=evict 1"),
            Map.entry("incr k -2 --init 5 --ttl 1500ms", "INCR k -2 5 1.500"),
            Map.entry(
                    "incr-number k 0.5 --init -1 --ttl 2h --full refuse",
                    "INCR_NUMBER k 0.5 init=-1 ttl=7200 full=refuse"),
            Map.entry("limiter k 100 1m", "RATE_LIMITER k 100 60"),
            Map.entry("take k gcra 10 1m", "TAKE k gcra 10 60 burst=9"),
            Map.entry(
                    "take k leaky 10 500ms --burst 2 --cost -3 --shadow",
                    "TAKE k leaky 10 0.500 burst=2 cost=-3 shadow=yes"),
            Map.entry("take k --policy api --cost 0", "TAKE k policy=api cost=0"),
            Map.entry("take k fixed 10 1m --share", "TAKE k fixed 10 60 share=yes"),
            Map.entry("acquire k 5 --holder h --ttl 1m", "ACQUIRE k 5 holder=h ttl=60"),
            Map.entry("release k --holder h", "RELEASE k holder=h"),
            Map.entry("reserve k log 5 1m --hold x --ttl 30 --cost 2", "RESERVE k log 5 60 hold=x ttl=30 cost=2"),
            Map.entry("settle k --hold x --cost 3", "SETTLE k x cost=3"),
            Map.entry("grant k --policy p --holder n --want 9 --min 3", "GRANT k policy=p holder=n want=9 min=3"),
            Map.entry("return k --holder n --unused 4", "RETURN k holder=n unused=4"),
            Map.entry("touch k 1d", "TOUCH k 86400"),
            Map.entry("expire k 0", "EXPIRE k 0"),
            Map.entry("del k", "DELETE k"),
            Map.entry("remove k --if 3", "REMOVE k if=3"),
            Map.entry("push k v", "RPUSH k 1 v"),
            Map.entry("push k 1 --left --type number --full evict", "LPUSH k 1 type=number full=evict 1"),
            Map.entry("pop k", "LPOP k"),
            Map.entry("pop k --right", "RPOP k"),
            Map.entry("flush r", "FLUSHALL r"),
            Map.entry("flush-expired --region r --max 3", "FLUSH_EXPIRED r max=3"),
            Map.entry("ping", "PING"),
            Map.entry("info", "INFO"));

    @Test
    void every_verb_has_a_word() throws ClassNotFoundException {
        Set<String> verbs = Arrays.stream(
                        Class.forName("io.dshm.proto.text.Verb").getEnumConstants())
                .map(verb -> ((Enum<?>) verb).name())
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> said = Words.ALL.stream()
                .flatMap(word -> word.verbs().stream())
                .collect(Collectors.toCollection(TreeSet::new));
        said.addAll(WITHOUT_WORD);
        assertEquals(verbs, said);
    }

    @Test
    void each_word_sends_its_verb() throws CliException {
        Set<String> tried = new HashSet<>();
        for (Map.Entry<String, String> line : LINES.entrySet()) {
            Arguments arguments = Arguments.parse(
                    null, InputStream.nullInputStream(), line.getKey().split(" ", -1));
            Word word = Objects.requireNonNull(arguments.word());
            ByteBuf sent = Unpooled.buffer();
            RequestEncoder.encode(((Word.Request) word.action()).builder().build(arguments), sent);
            String text =
                    sent.toString(StandardCharsets.UTF_8).replace("\r\n", " ").strip();
            assertEquals(line.getValue(), text);
            assertTrue(word.verbs().contains(text.split(" ", -1)[0]), word.name());
            tried.add(word.name());
        }
        Set<String> requests = Words.ALL.stream()
                .filter(word -> word.action() instanceof Word.Request)
                .map(Word::name)
                .collect(Collectors.toSet());
        assertEquals(requests, tried);
    }

    @Test
    void no_two_words_have_one_name() {
        List<String> names = Words.ALL.stream().map(Word::name).toList();
        assertEquals(new HashSet<>(names).size(), names.size());
    }

    @Test
    void every_help_fits_into_80_columns() {
        String helps = Syntax.help()
                + Words.ALL.stream()
                        .map(word -> "\n" + Syntax.help(word.name()))
                        .collect(Collectors.joining());
        assertEquals(List.of(), helps.lines().filter(line -> line.length() > 80).toList());
    }
}
