package parley.tool;

import java.util.List;
import java.util.concurrent.CompletionStage;
import parley.protocol.Tool;

/** The tools of this deployment. Thread-safe. */
public interface Tools {
    /** What a model is told about. Names are unique. */
    List<Tool.Function> offered();

    /** Whether a call of this name is ours to execute. */
    boolean knows(String name);

    /**
     * Executes a call.
     *
     * @param arguments JSON as the model wrote it; not trusted
     * @return completed within the tool timeout, on any thread; never fails
     */
    CompletionStage<Outcome> call(String name, String arguments);

    /** What a call gave, in words for the model. */
    record Outcome(boolean succeeded, String output) {}

    /** Nothing is offered, nothing known. */
    static Tools none() {
        return new ServerTools(
                new ToolSettings(List.of(), java.time.Duration.ofSeconds(1)), java.time.Clock.systemUTC());
    }

    /** The tools the settings switch on. */
    static Tools create(ToolSettings settings, java.time.Clock clock) {
        return new ServerTools(settings, clock);
    }
}
