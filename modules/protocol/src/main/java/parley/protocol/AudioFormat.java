package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** The three ways audio travels, all mono. OpenAI Realtime reference, session {@code audio.input.format}. */
public enum AudioFormat {
    /** Signed 16 bit little endian samples at 24 kHz: 48 bytes a millisecond. */
    PCM16_24K("audio/pcm", "pcm16", 48),
    /** G.711 µ-law at 8 kHz: 8 bytes a millisecond. */
    PCMU("audio/pcmu", "g711_ulaw", 8),
    /** G.711 A-law at 8 kHz: 8 bytes a millisecond. */
    PCMA("audio/pcma", "g711_alaw", 8);

    private static final int PCM_RATE = 24_000;

    private final String mediaType;
    private final String betaName;
    private final int bytesPerMillisecond;

    AudioFormat(String mediaType, String betaName, int bytesPerMillisecond) {
        this.mediaType = mediaType;
        this.betaName = betaName;
        this.bytesPerMillisecond = bytesPerMillisecond;
    }

    /**
     * Reads the object form ({@code {"type":"audio/pcm","rate":24000}}, rate optional) or the beta name
     * ({@code "pcm16"}).
     *
     * @return null when the node is neither, or means audio this enum has no constant for, such as PCM at 16 kHz
     */
    public static @Nullable AudioFormat of(JsonNode node) {
        if (node.isTextual()) return ofBetaName(node.textValue());
        for (AudioFormat format : values()) {
            if (format.mediaType.equals(node.path("type").textValue())) {
                return format == PCM16_24K && node.path("rate").asInt(PCM_RATE) != PCM_RATE ? null : format;
            }
        }
        return null;
    }

    /** The format of a beta name ({@code pcm16}, {@code g711_ulaw}, {@code g711_alaw}), or null. */
    public static @Nullable AudioFormat ofBetaName(String name) {
        for (AudioFormat format : values()) {
            if (format.betaName.equals(name)) return format;
        }
        return null;
    }

    /** Bytes of decoded audio that play for one millisecond. */
    public int bytesPerMillisecond() {
        return bytesPerMillisecond;
    }

    /** Milliseconds that a base64 text of so many characters plays, rounded down; padding may add at most two bytes. */
    public long millis(long base64Length) {
        return base64Length * 3 / 4 / bytesPerMillisecond;
    }

    /** The media type of the object form, such as {@code audio/pcm}. */
    public String mediaType() {
        return mediaType;
    }

    /** The name in the beta dialect, such as {@code pcm16}. */
    public String betaName() {
        return betaName;
    }

    /** A new object form: {@code {"type":"audio/pcm","rate":24000}}; G.711 has no rate. */
    public ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("type", mediaType);
        return this == PCM16_24K ? json.put("rate", PCM_RATE) : json;
    }
}
