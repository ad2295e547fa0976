package parley.session;

/** What a provider says, as JSON. */
final class Events {
    private static final String AUDIO_IN =
            "\"input\":{\"format\":{\"type\":\"audio/pcm\",\"rate\":24000},\"turn_detection\":";
    private static final String AUDIO_OUT = "\"output\":{\"format\":{\"type\":\"audio/pcm\",\"rate\":24000}}";

    private Events() {}

    static String session(String id, boolean interrupts) {
        return "{\"id\":\"" + id + "\",\"object\":\"realtime.session\",\"type\":\"realtime\",\"model\":\"usual\","
                + "\"audio\":{" + AUDIO_IN + "{\"type\":\"server_vad\",\"interrupt_response\":" + interrupts
                + "}}," + AUDIO_OUT + "}}";
    }

    static String created() {
        return created(true);
    }

    static String created(boolean interrupts) {
        return "{\"type\":\"session.created\",\"event_id\":\"e_created\",\"session\":"
                + session("sess_upstream", interrupts) + "}";
    }

    static String updated() {
        return "{\"type\":\"session.updated\",\"event_id\":\"e_updated\",\"session\":" + session("sess_upstream", true)
                + "}";
    }

    static String begun(String response) {
        return "{\"type\":\"response.created\",\"event_id\":\"e1\",\"response\":"
                + response(response, "in_progress", "null") + "}";
    }

    static String done(String response, String status) {
        return "{\"type\":\"response.done\",\"event_id\":\"e2\",\"response\":"
                + response(
                        response,
                        status,
                        "{\"total_tokens\":253,\"input_tokens\":132,\"output_tokens\":121,\"input_token_details\":"
                                + "{\"text_tokens\":119,\"audio_tokens\":13,\"image_tokens\":0,\"cached_tokens\":64,"
                                + "\"cached_tokens_details\":{\"text_tokens\":64,\"audio_tokens\":0,\"image_tokens\":0}},"
                                + "\"output_token_details\":{\"text_tokens\":30,\"audio_tokens\":91}}")
                + "}";
    }

    static String response(String id, String status, String usage) {
        return "{\"id\":\"" + id + "\",\"object\":\"realtime.response\",\"status\":\"" + status
                + "\",\"status_details\":null,\"output\":[],\"conversation_id\":\"conv_1\",\"output_modalities\":"
                + "[\"audio\"],\"max_output_tokens\":\"inf\",\"metadata\":null,\"usage\":" + usage + "}";
    }

    /** PCM: 64 characters of base64 are a millisecond. */
    static String audio(String response, String item, int ms) {
        return "{\"type\":\"response.output_audio.delta\",\"event_id\":\"e3\",\"response_id\":\"" + response
                + "\",\"item_id\":\"" + item + "\",\"output_index\":0,\"content_index\":0,\"delta\":\""
                + "A".repeat(64 * ms)
                + "\"}";
    }

    static String speechStarted(String item) {
        return "{\"type\":\"input_audio_buffer.speech_started\",\"event_id\":\"e4\",\"item_id\":\"" + item
                + "\",\"audio_start_ms\":100}";
    }

    static String speechStopped(String item) {
        return speechStopped(item, 1600);
    }

    static String speechStopped(String item, long endMs) {
        return "{\"type\":\"input_audio_buffer.speech_stopped\",\"event_id\":\"e5\",\"item_id\":\"" + item
                + "\",\"audio_end_ms\":" + endMs + "}";
    }

    static String agentItem(String item, String status, String words) {
        return "{\"id\":\"" + item + "\",\"object\":\"realtime.item\",\"type\":\"message\",\"status\":\"" + status
                + "\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_audio\",\"transcript\":\"" + words
                + "\"}]}";
    }

    /** The words of what the agent says, ahead of the audio. */
    static String words(String response, String item, String words) {
        return "{\"type\":\"response.output_audio_transcript.delta\",\"event_id\":\"e9\",\"response_id\":\"" + response
                + "\",\"item_id\":\"" + item + "\",\"output_index\":0,\"content_index\":0,\"delta\":\"" + words + "\"}";
    }

    static String committed(String item) {
        return "{\"type\":\"input_audio_buffer.committed\",\"event_id\":\"e10\",\"previous_item_id\":null,"
                + "\"item_id\":\"" + item + "\"}";
    }

    static String spokenItem(String item) {
        return "{\"id\":\"" + item + "\",\"object\":\"realtime.item\",\"type\":\"message\",\"status\":\"completed\","
                + "\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"transcript\":null}]}";
    }

    static String transcribed(String item, String words) {
        return "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"event_id\":\"e11\",\"item_id\":\""
                + item + "\",\"content_index\":0,\"transcript\":\"" + words + "\"}";
    }

    static String error(String about) {
        return "{\"type\":\"error\",\"event_id\":\"e12\",\"error\":{\"type\":\"invalid_request_error\",\"code\":\"no\","
                + "\"message\":\"no\",\"event_id\":\"" + about + "\"}}";
    }

    static String userItem(String item, String words) {
        return "{\"id\":\"" + item + "\",\"object\":\"realtime.item\",\"type\":\"message\",\"status\":\"completed\","
                + "\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"" + words + "\"}]}";
    }

    static String call(String item, String call, String status) {
        return "{\"id\":\"" + item + "\",\"object\":\"realtime.item\",\"type\":\"function_call\",\"status\":\"" + status
                + "\",\"call_id\":\"" + call + "\",\"name\":\"time\",\"arguments\":\"{}\"}";
    }

    static String itemDone(String item) {
        return "{\"type\":\"conversation.item.done\",\"event_id\":\"e6\",\"previous_item_id\":null,\"item\":" + item
                + "}";
    }

    static String itemDeleted(String item) {
        return "{\"type\":\"conversation.item.deleted\",\"event_id\":\"e13\",\"item_id\":\"" + item + "\"}";
    }

    static String outputItemDone(String response, String item) {
        return "{\"type\":\"response.output_item.done\",\"event_id\":\"e7\",\"response_id\":\"" + response
                + "\",\"output_index\":0,\"item\":" + item + "}";
    }

    static String append(int ms) {
        return append('B', ms);
    }

    /** Audio that can be told from other audio. */
    static String append(char sound, int ms) {
        return "{\"type\":\"input_audio_buffer.append\",\"audio\":\""
                + String.valueOf(sound).repeat(64 * ms) + "\"}";
    }

    static String plain(String type) {
        return "{\"type\":\"" + type + "\",\"event_id\":\"e8\"}";
    }
}
