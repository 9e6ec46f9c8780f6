package io.dshm.client;

import java.util.List;

/**
 * What several limits decided together.
 *
 * @param allowed whether all costs were taken; none was, if not
 * @param each in the order of the request. If not all were allowed, {@link Decision#allowed} says whether this one
 *     would have been, and the other numbers how the limit stands
 */
public record Decisions(boolean allowed, List<Decision> each) {}
