package io.dshm.proto.text;

/** What one connection holds of a budget for one purpose. Not thread-safe. */
public final class HeldBytes {

    private final ValueBudget budget;
    private int bytes;

    /** Nothing of that budget. */
    public HeldBytes(ValueBudget budget) {
        this.budget = budget;
    }

    /**
     * Holds so many bytes from now on, 0 or more: takes what is missing out of the budget, or gives back what is too
     * much.
     *
     * @return false if the budget does not have them; then nothing is held any more
     */
    public boolean become(int wanted) {
        int more = wanted - bytes;
        if (more > 0 && !budget.reserve(more)) {
            become(0);
            return false;
        }
        if (more < 0) {
            budget.release(-more);
        }
        bytes = wanted;
        return true;
    }

    /** Holds so many bytes more, which are out of the budget already, as those of {@link PartialValue#take}. */
    public void takeOver(int reserved) {
        bytes += reserved;
    }

    /** Somebody else gives back what is held. */
    public void handOver() {
        bytes = 0;
    }

    /** How many they are. */
    public int bytes() {
        return bytes;
    }
}
