package io.dshm.client;

import java.util.List;
import java.util.OptionalLong;

/**
 * Some keys of a region.
 *
 * @param keys least recently written first
 * @param next what to ask for the next ones with; nothing if there are no more
 */
public record KeyPage(List<String> keys, OptionalLong next) {}
