package io.dshm.client.cli;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** All words, in the order in which the help shows them. */
final class Words {

    static final List<Word> ALL = Stream.of(
                    ReadWords.ALL,
                    WriteWords.ALL,
                    HolderWords.ALL,
                    BackupWords.ALL,
                    RegionWords.ALL,
                    WhyWords.ALL,
                    ClusterWords.ALL,
                    BenchWords.ALL,
                    UserWords.ALL,
                    ToolWords.ALL)
            .flatMap(List::stream)
            .toList();

    private Words() {}

    /** The word with that name, or null. */
    static @Nullable Word named(String name) {
        for (Word word : ALL) {
            if (word.name().equals(name)) {
                return word;
            }
        }
        return null;
    }
}
