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
    private static final long MOST = 1_000_000_000;
    static final Tokens NONE = new Tokens(0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** What the provider counts in the sum and under no kind is text; no more of a kind is cached than there is of it. */
    static Tokens of(Usage usage) {
        var told = usage.inputTokenDetails();
        var in = told == null ? new Usage.InputTokenDetails(0, 0, 0, 0, null) : told;
        var out = usage.outputTokenDetails() == null ? new Usage.OutputTokenDetails(0, 0) : usage.outputTokenDetails();
        long text = in.textTokens() + rest(usage.inputTokens(), in.textTokens() + in.audioTokens() + in.imageTokens());
        var cached = new Usage.InputTokenDetails(
                        text, in.audioTokens(), in.imageTokens(), in.cachedTokens(), in.cachedTokensDetails())
                .cached();
        return new Tokens(
                        text,
                        Math.min(text, cached.textTokens()),
                        in.audioTokens(),
                        Math.min(in.audioTokens(), cached.audioTokens()),
                        in.imageTokens(),
                        Math.min(in.imageTokens(), cached.imageTokens()),
                        out.textTokens() + rest(usage.outputTokens(), out.textTokens() + out.audioTokens()),
                        out.audioTokens(),
                        0)
                .bounded();
    }

    private static long rest(long sum, long told) {
        return Math.max(0, sum - told);
    }

    /** No response has that many; a count that is made up must not spoil the sums. */
    private Tokens bounded() {
        return new Tokens(
                bounded(textIn),
                bounded(textCached),
                bounded(audioIn),
                bounded(audioCached),
                bounded(imageIn),
                bounded(imageCached),
                bounded(textOut),
                bounded(audioOut),
                Math.clamp(transcribedSeconds, 0, MOST));
    }

    private static long bounded(long count) {
        return Math.clamp(count, 0, MOST);
    }

    static Tokens of(TranscriptionUsage usage) {
        return switch (usage) {
            case TranscriptionUsage.Duration(double seconds) -> new Tokens(0, 0, 0, 0, 0, 0, 0, 0, seconds).bounded();
            case TranscriptionUsage.Tokens tokens -> {
                var told = tokens.inputTokenDetails();
                var in = told == null ? new TranscriptionUsage.InputTokenDetails(0, 0) : told;
                yield new Tokens(
                                in.textTokens() + rest(tokens.inputTokens(), in.textTokens() + in.audioTokens()),
                                0,
                                in.audioTokens(),
                                0,
                                0,
                                0,
                                tokens.outputTokens(),
                                0,
                                0)
                        .bounded();
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
