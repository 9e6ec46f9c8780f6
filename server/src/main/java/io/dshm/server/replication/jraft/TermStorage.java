package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.impl.LocalRaftMetaStorage;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * The library's storage of term and vote, but it can begin with a higher term than that on the disk, and others can ask
 * which one is there. SOFAJRaft calls it with the lock of the Raft node held.
 */
final class TermStorage extends LocalRaftMetaStorage {

    private final PeerId self;
    private final long termMin;
    private final Terms terms;
    private final Progress progress;
    private final Path file;
    private final Consumer<String> onFatal;

    /** Which term is on the disk. Any thread. */
    static final class Terms {

        private volatile long durable;

        long durable() {
            return durable;
        }
    }

    /**
     * A storage that is not open yet.
     *
     * @param self this node
     * @param termMin the term in which this node takes part at the earliest, its vote in that term being given; 0 for
     *     what is on the disk
     * @param progress knows what was there
     * @param onFatal is told why this node must not start
     */
    TermStorage(
            String path,
            RaftOptions options,
            PeerId self,
            long termMin,
            Terms terms,
            Progress progress,
            Consumer<String> onFatal) {
        super(path, options);
        this.progress = progress;
        this.file = Path.of(path);
        this.onFatal = onFatal;
        this.self = self;
        this.termMin = termMin;
        this.terms = terms;
    }

    @Override
    public boolean init(RaftMetaStorageOptions options) {
        try {
            if (!super.init(options)) {
                throw new HalfFolderException(file, "cannot be read, the lines before this one say why");
            }
            progress.requireVote(getTerm(), voteText(), file);
        } catch (HalfFolderException e) {
            onFatal.accept(String.valueOf(e.getMessage()));
            return false;
        }
        onSaved(true);
        // To itself, which is no candidate of that term: so it gives it to nobody else.
        return getTerm() >= termMin || setTermAndVotedFor(termMin, self);
    }

    @Override
    public boolean setTerm(long term) {
        return onSaved(super.setTerm(term));
    }

    @Override
    public boolean setVotedFor(PeerId votedFor) {
        return onSaved(super.setVotedFor(votedFor));
    }

    @Override
    public boolean setTermAndVotedFor(long term, PeerId votedFor) {
        return onSaved(super.setTermAndVotedFor(term, votedFor));
    }

    private boolean onSaved(boolean saved) {
        if (saved) {
            terms.durable = getTerm();
            progress.voted(getTerm(), voteText());
        }
        return saved;
    }

    private String voteText() {
        return getVotedFor().isEmpty() ? "" : getVotedFor().toString();
    }
}
