package io.dshm.proto;

/** What a front end decodes from a client's bytes: a command, or a rejection. */
public sealed interface Request permits Command, Rejection {}
