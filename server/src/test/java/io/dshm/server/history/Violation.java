package io.dshm.server.history;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What a checker has to say against a history.
 *
 * @param undecided whether the checker gave up before it knew: no proof of a fault, but no pass either
 * @param what is wrong, in words
 * @param evidence the operations that show it, or that surround it
 */
public record Violation(boolean undecided, String what, List<Operation> evidence) {

    /** What no correct store could have answered. */
    static Violation of(String what, List<Operation> evidence) {
        return new Violation(false, what, evidence);
    }

    /** For people: the words, and one line for each operation as in a history's file. */
    @Override
    public String toString() {
        return what
                + evidence.stream().map(o -> "\n    " + OperationText.write(o)).collect(Collectors.joining());
    }
}
