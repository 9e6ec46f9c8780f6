/**
 * Limits that this node decides by itself, from shares of them that the log has granted it: a {@code TAKE} with
 * {@code share=yes} is answered without a round.
 *
 * <p>A share is a number of tokens that one holder may spend for a short time ({@code GRANT} and {@code RETURN}). The
 * log counts it as used from the moment it is granted, so it does not matter to the limit what a holder does with it,
 * as long as the holder
 *
 * <ul>
 *   <li>spends no token twice, and none that it has given back: each share has a holder's name of its own, which no
 *       other share of any start of any node has, and one thread spends it, gives it back, and forgets it;
 *   <li>spends none when its life is over by the cluster clock: its life is counted from before it was asked for, by a
 *       clock that goes on while the machine sleeps ({@link io.dshm.server.shares.BootTime}), and cut by what clocks
 *       may differ in speed ({@link io.dshm.server.shares.Share}). The cluster clock goes by one leader's clock after
 *       another, and gains nothing between them ({@link io.dshm.server.statemachine.ClusterClock}).
 * </ul>
 *
 * <p>When all nodes have stopped, a wall clock says for how long. If it is ahead of the truth, the log ends shares that
 * a holder outside the nodes, an nginx, still spends: this is the one assumption about clocks of the day. Where one
 * node may have run on, the others wait for it first ({@code replication.Roles}).
 *
 * <p>A decision is of the moment at which the clock was read for it. The request is there by then and its reply is not,
 * so a node that stands still in between has decided in time, as one has whose reply is late.
 *
 * <p>How many tokens are asked for, and when, is policy and not exactness: {@link io.dshm.server.shares.Shares}.
 */
@NullMarked
package io.dshm.server.shares;

import org.jspecify.annotations.NullMarked;
