package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.impl.LocalRaftMetaStorage;

/**
 * The library's storage of term and vote, but it can begin with a higher term than that on the disk, and others can ask
 * which one is there. SOFAJRaft calls it with the lock of the Raft node held.
 */
final class TermStorage extends LocalRaftMetaStorage {

    private final PeerId self;
    private final long termMin;
    private final Terms terms;

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
     */
    TermStorage(String path, RaftOptions options, PeerId self, long termMin, Terms terms) {
        super(path, options);
        this.self = self;
        this.termMin = termMin;
        this.terms = terms;
    }

    @Override
    public boolean init(RaftMetaStorageOptions options) {
        if (!super.init(options)) {
            return false;
        }
        terms.durable = getTerm();
        // To itself, which is no candidate of that term: so it gives it to nobody else.
        return getTerm() >= termMin || setTermAndVotedFor(termMin, self);
    }

    @Override
    public boolean setTerm(long term) {
        boolean saved = super.setTerm(term);
        terms.durable = getTerm();
        return saved;
    }

    @Override
    public boolean setTermAndVotedFor(long term, PeerId votedFor) {
        boolean saved = super.setTermAndVotedFor(term, votedFor);
        terms.durable = getTerm();
        return saved;
    }
}
