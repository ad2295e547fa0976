/**
 * Puts the parts together and runs them.
 *
 * <p>{@link parley.app.Main} is the command line; {@link parley.app.Node} one running node, from its settings to its
 * end; {@link parley.app.LocalCluster} several of them on one machine.
 */
@NullMarked
package parley.app;

import org.jspecify.annotations.NullMarked;
