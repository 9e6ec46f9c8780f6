package io.dshm.proto;

/** What a front end decodes from a client's bytes: a command, or why there is none. */
public sealed interface Request permits Command, Rejection {}
