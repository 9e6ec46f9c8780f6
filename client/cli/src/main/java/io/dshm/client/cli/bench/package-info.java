/**
 * The load generator of {@code dshm bench}: its own connections, several protocols, and checks of what the replies say.
 * It knows nothing of the command line; {@code BenchCommand} of the package above makes a plan for it and shows what
 * came of it.
 */
@NullMarked
package io.dshm.client.cli.bench;

import org.jspecify.annotations.NullMarked;
