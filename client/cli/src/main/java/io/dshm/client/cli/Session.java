package io.dshm.client.cli;

import java.time.Duration;
import java.util.List;

/**
 * What a word that is no request works with.
 *
 * @param endpoints the nodes, for clients
 * @param adminPorts their ports for operators, in the same order where they were derived from the former
 * @param timeout how long an answer may take
 */
record Session(List<Endpoint> endpoints, List<Endpoint> adminPorts, Duration timeout, Nodes nodes, Output output) {}
