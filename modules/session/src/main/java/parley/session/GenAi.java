package parley.session;

import io.opentelemetry.api.common.AttributeKey;

/**
 * Names of OpenTelemetry's conventions for generative AI. They are drafts and will change: here, and nowhere else. Those of
 * voice are of an open proposal.
 */
final class GenAi {
    static final AttributeKey<String> OPERATION = AttributeKey.stringKey("gen_ai.operation.name");
    static final AttributeKey<String> PROVIDER = AttributeKey.stringKey("gen_ai.provider.name");
    static final AttributeKey<String> MODEL = AttributeKey.stringKey("gen_ai.request.model");
    static final AttributeKey<Long> INPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.input_tokens");
    static final AttributeKey<Long> OUTPUT_TOKENS = AttributeKey.longKey("gen_ai.usage.output_tokens");
    static final AttributeKey<String> TOOL = AttributeKey.stringKey("gen_ai.tool.name");
    static final AttributeKey<String> SESSION = AttributeKey.stringKey("gen_ai.voice.session_id");
    static final AttributeKey<Long> TURNS = AttributeKey.longKey("gen_ai.voice.turn_count");
    static final AttributeKey<Long> INTERRUPTIONS = AttributeKey.longKey("gen_ai.voice.interruption_count");
    static final AttributeKey<Long> FIRST_TOKEN_MS = AttributeKey.longKey("gen_ai.voice.first_token_latency_ms");
    static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    static final String EXECUTE_TOOL = "execute_tool";
    static final String REALTIME = "realtime";

    private GenAi() {}
}
