/**
 * Histories of what clients saw, and the checkers that find out whether a strictly consistent store could have answered
 * so. Pure computation: no I/O but the reading and writing of a history's file, no clock, no threads.
 */
@NullMarked
package io.dshm.server.history;

import org.jspecify.annotations.NullMarked;
