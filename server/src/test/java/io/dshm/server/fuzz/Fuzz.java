package io.dshm.server.fuzz;

import io.dshm.proto.text.CodecFuzz;
import io.dshm.proto.text.Conversation;
import io.dshm.server.admin.AdminFuzz;
import io.dshm.server.frontend.sharedance.SharedanceFuzz;
import io.dshm.server.statemachine.SnapshotFuzz;
import io.dshm.server.transport.TransportFuzz;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All that parses bytes of others, for a fuzzer. {@code deploy/bin/fuzz} lets Jazzer look for inputs that none of them should
 * survive; what it has found that was new is kept in {@code server/src/test/fuzz/<target>}, and {@link FuzzTest} tries it in each build.
 */
public final class Fuzz {

    /** Something that takes any bytes, and throws if that goes wrong. */
    public interface Eater {
        void eat(byte[] data) throws IOException;
    }

    /** Where known inputs come from. */
    interface Seeds {
        List<byte[]> get() throws IOException;
    }

    /** What there is. */
    @SuppressWarnings("ImmutableEnumChecker") // references to methods do not change
    public enum Target {
        REQUESTS(CodecFuzz::requests, Fuzz::conversations),
        REPLIES(CodecFuzz::replies, Fuzz::answers),
        SHAREDANCE(SharedanceFuzz::requests, Fuzz::sharedance),
        PEER_STRANGER(TransportFuzz::stranger, TransportFuzz::seeds),
        PEER_MEMBER(TransportFuzz::member, TransportFuzz::seeds),
        PEER_CALLER(TransportFuzz::caller, TransportFuzz::seeds),
        SNAPSHOT(SnapshotFuzz::snapshot, SnapshotFuzz::seeds),
        BACKUP(SnapshotFuzz::backup, SnapshotFuzz::seeds),
        ADMIN(AdminFuzz::requests, AdminFuzz::seeds);

        private final Eater eater;
        private final Seeds seeds;

        Target(Eater eater, Seeds seeds) {
            this.eater = eater;
            this.seeds = seeds;
        }

        /** Takes one input. */
        public void run(byte[] data) throws IOException {
            eater.eat(data);
        }

        /** What is sent in earnest, and what is kept. */
        List<byte[]> inputs() throws IOException {
            List<byte[]> all = new ArrayList<>(seeds.get());
            Path kept = Path.of("src/test/fuzz", name().toLowerCase(Locale.ROOT));
            if (Files.isDirectory(kept)) {
                try (Stream<Path> files = Files.list(kept)) {
                    for (Path file : files.sorted().toList()) {
                        all.add(Files.readAllBytes(file));
                    }
                }
            }
            return all;
        }
    }

    private static @Nullable Target chosen;

    private Fuzz() {}

    private static List<byte[]> conversations() throws IOException {
        return sent(true);
    }

    private static List<byte[]> answers() throws IOException {
        return sent(false);
    }

    /** What goes in one direction in all conversations. */
    private static List<byte[]> sent(boolean byClient) throws IOException {
        List<byte[]> all = new ArrayList<>();
        for (Conversation conversation : Conversation.loadAll(Path.of("../proto/conversations"))) {
            for (Conversation.Step step : conversation.steps()) {
                if (byClient && step instanceof Conversation.Send send && send.bytes().length < 5_000) {
                    all.add(send.bytes());
                } else if (!byClient && step instanceof Conversation.Receive receive) {
                    all.addAll(receive.pieces());
                }
            }
        }
        return all;
    }

    private static List<byte[]> sharedance() {
        return Stream.of("S\0\0\0\1\0\0\0\2kvv", "F\0\0\0\1k", "D\0\0\0\1k")
                .map(text -> text.getBytes(StandardCharsets.ISO_8859_1))
                .toList();
    }

    /** For Jazzer: the arguments name a target. */
    public static void fuzzerInitialize(String[] arguments) {
        chosen = Target.valueOf(arguments[0].toUpperCase(Locale.ROOT));
    }

    /** For Jazzer. */
    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        Target target = chosen;
        if (target == null) {
            throw new IllegalStateException("no target was named");
        }
        target.run(data);
    }

    /** Writes the seeds of a target into a folder: {@code TARGET FOLDER}. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        int number = 0;
        for (byte[] input :
                Target.valueOf(arguments[0].toUpperCase(Locale.ROOT)).inputs()) {
            Files.write(folder.resolve("seed-" + number++), input);
        }
    }
}
