/**
 * Tests of the whole: real processes, real disks, real connections, a real nginx. They run after packaging
 * ({@code mvn verify}) against the folder that is shipped, {@code target/dshm}, and are named {@code *IT}.
 *
 * <p>{@code Processes} is what a test asks for clusters and web servers: it stops all of them in the end, and prints what
 * they said if the test has failed. {@code ClusterProcess} and {@code NodeProcess} are started, killed, paused and asked
 * for their state; {@code NginxProcess} is a Debian nginx with our Lua client; {@code Increments} is load that
 * knows afterwards whether everything was counted exactly once.
 *
 * <p>What happens to a process leaves traces in {@code target/system/<test>}: the logs of all nodes stay there.
 *
 * <p>No test sleeps for something that can be awaited, and no test waits without end ({@code Await}). Only where time
 * itself is the matter, as with a TTL, it is let pass. No test asserts how fast something is.
 */
@NullMarked
package io.dshm.server.system;

import org.jspecify.annotations.NullMarked;
