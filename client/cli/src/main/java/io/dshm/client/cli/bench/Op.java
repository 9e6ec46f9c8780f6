package io.dshm.client.cli.bench;

/** What a request of the load does. */
enum Op {
    /** Reads a value. */
    GET('v'),
    /** Stores a value. */
    SET('v'),
    /** Stores a value where there is none. */
    ADD('a'),
    /** Reads a number with its version, and stores the next number if the version is still the same: two requests. */
    CAS('s'),
    /** Removes a value. */
    DELETE('v'),
    /** Adds 1 to a counter. */
    INCR('c'),
    /** Takes a token of a limit. */
    TAKE('t'),
    /** Appends an element to a list. */
    PUSH('l'),
    /** Takes the first element off a list. */
    POP('l'),
    /** Sets when a value expires: an hour from now, so that no run sees the end of it. */
    TOUCH('v'),
    /** Asks whether the server answers. */
    PING('p');

    /** The first letter of its keys: words with the same letter share their keys. */
    final char space;

    Op(char space) {
        this.space = space;
    }

    /** Whether it changes nothing, so that an unknown outcome of it means nothing. */
    boolean isRead() {
        return this == GET || this == PING;
    }

    /** Whether its request has a value of the size that is asked for. */
    boolean hasValue() {
        return this == SET || this == ADD || this == PUSH;
    }

    /** The word of the mix. */
    String word() {
        return switch (this) {
            case GET -> "get";
            case SET -> "set";
            case ADD -> "add";
            case CAS -> "cas";
            case DELETE -> "delete";
            case INCR -> "incr";
            case TAKE -> "take";
            case PUSH -> "push";
            case POP -> "pop";
            case TOUCH -> "touch";
            case PING -> "ping";
        };
    }
}
