package io.dshm.client;

import java.util.Optional;

/**
 * Who answers.
 *
 * @param protocol the version of the protocol that it speaks
 * @param node its name
 * @param leader the name of the leader, if it knows one
 */
public record NodeInfo(int protocol, String node, Optional<String> leader) {}
