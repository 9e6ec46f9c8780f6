package io.dshm.proto.text;

/** The verbs that have data after their line: a type of its own, so that each switch over them has a case for all. */
enum DataVerb {
    SET(Verb.SET, 2),
    PUT(Verb.PUT, 2),
    LPUSH(Verb.LPUSH, 1),
    RPUSH(Verb.RPUSH, 1),
    TAKE_ALL(Verb.TAKE_ALL, 0),
    MULTI(Verb.MULTI, 0);

    private final Verb verb;
    private final int lengthArgument;

    DataVerb(Verb verb, int lengthArgument) {
        this.verb = verb;
        this.lengthArgument = lengthArgument;
    }

    Verb verb() {
        return verb;
    }

    /** Which argument is the length of the data. */
    int lengthArgument() {
        return lengthArgument;
    }
}
