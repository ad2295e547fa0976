/**
 * Does what a model asks for, and nothing else.
 *
 * <p>{@link parley.tool.Tools} is all a session sees: what is offered to the model, and one call that always ends, with
 * an output, an error in words the model can use, or a timeout. Tools that a client declared are the client's to
 * execute; these here run on the server.
 */
@NullMarked
package parley.tool;

import org.jspecify.annotations.NullMarked;
