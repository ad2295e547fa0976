package parley.session;

import java.util.HashMap;
import java.util.Map;
import parley.protocol.Item;
import parley.protocol.ServerEvent;
import parley.tool.Tools;

/**
 * The calls that a model makes of our tools: each is executed once, answered, and the model asked to go on when all are
 * answered. Confined to the conversation's loop.
 */
final class ToolCalls {
    private final Tools tools;
    /** Calls that are being executed, and the response each came in; "" when that was cancelled. */
    private final Map<String, String> running = new HashMap<>();

    private boolean goOn;

    ToolCalls(Tools tools) {
        this.tools = tools;
    }

    /** Whether this item calls a tool of ours, for the first time. */
    boolean begins(ServerEvent.ResponseOutputItemDone done) {
        return done.item() instanceof Item.FunctionCall call
                && call.status() != Item.Status.INCOMPLETE
                && call.callId() != null
                && tools.knows(call.name())
                && running.putIfAbsent(call.callId(), done.responseId()) == null;
    }

    /** Whether the result is still wanted. */
    boolean answered(String callId) {
        var response = running.remove(callId);
        if (response == null) {
            return false;
        }
        // After a cancelled response the caller's next turn, or its client, makes the model go on.
        goOn |= !response.isEmpty();
        return true;
    }

    /** The caller went on, or wanted nothing more: the calls are answered, but the model is not asked to speak. */
    void cancelled(String responseId) {
        running.replaceAll((call, response) -> response.equals(responseId) ? "" : response);
        goOn = false;
    }

    /** Whether the model is to be asked to go on; once. */
    boolean takeGoOn() {
        boolean now = goOn && running.isEmpty();
        goOn &= !now;
        return now;
    }

    /** The model was asked to speak for another reason. */
    void asked() {
        goOn &= !running.isEmpty();
    }

    boolean isRunning() {
        return !running.isEmpty();
    }

    boolean isIdle() {
        return running.isEmpty() && !goOn;
    }
}
