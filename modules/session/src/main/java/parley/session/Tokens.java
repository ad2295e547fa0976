package parley.session;

import parley.protocol.TranscriptionUsage;
import parley.protocol.Usage;

/**
 * Tokens by kind, as they are priced. Cached counts are part of the input counts.
 *
 * @param transcribedSeconds audio metered by time instead of tokens
 */
record Tokens(
        long textIn,
        long textCached,
        long audioIn,
        long audioCached,
        long imageIn,
        long imageCached,
        long textOut,
        long audioOut,
        double transcribedSeconds) {
    static final Tokens NONE = new Tokens(0, 0, 0, 0, 0, 0, 0, 0, 0);

    static Tokens of(Usage usage) {
        var in = usage.inputTokenDetails();
        var out = usage.outputTokenDetails();
        var cached = in == null ? new Usage.CachedTokensDetails(0, 0, 0) : in.cached();
        return new Tokens(
                in == null ? usage.inputTokens() : in.textTokens(),
                cached.textTokens(),
                in == null ? 0 : in.audioTokens(),
                cached.audioTokens(),
                in == null ? 0 : in.imageTokens(),
                cached.imageTokens(),
                out == null ? usage.outputTokens() : out.textTokens(),
                out == null ? 0 : out.audioTokens(),
                0);
    }

    static Tokens of(TranscriptionUsage usage) {
        return switch (usage) {
            case TranscriptionUsage.Duration(double seconds) -> new Tokens(0, 0, 0, 0, 0, 0, 0, 0, seconds);
            case TranscriptionUsage.Tokens tokens -> {
                var in = tokens.inputTokenDetails();
                yield new Tokens(
                        in == null ? tokens.inputTokens() : in.textTokens(),
                        0,
                        in == null ? 0 : in.audioTokens(),
                        0,
                        0,
                        0,
                        tokens.outputTokens(),
                        0,
                        0);
            }
        };
    }

    Tokens plus(Tokens more) {
        return new Tokens(
                textIn + more.textIn,
                textCached + more.textCached,
                audioIn + more.audioIn,
                audioCached + more.audioCached,
                imageIn + more.imageIn,
                imageCached + more.imageCached,
                textOut + more.textOut,
                audioOut + more.audioOut,
                transcribedSeconds + more.transcribedSeconds);
    }
}
